using Sessions.Storage;

namespace Sessions.Lifecycle;

/// <summary>Makes a session, or finds the one that the same idempotency key made.</summary>
internal sealed class CreateRequest(StoreCore core, SessionInfo pattern) : CommitRequest
{
    public override int SizeHint => 600 + pattern.Metadata.Length + pattern.Facts.Length;

    /// <summary>The id it has now.</summary>
    public string Id { get; private set; } = "";

    public override void Run(Transaction transaction)
    {
        if (pattern.IdempotencyKey is { } key)
        {
            if (transaction.WorkingKeys.TryGetValue(key, out string? sibling)
                && transaction.FindLive(sibling) is not null)
            {
                Id = sibling;
                return;
            }

            if (transaction.Rows.FindByKey(key) is { } first && transaction.FindLive(first.Id) is not null)
            {
                Id = first.Id;
                return;
            }
        }

        if (pattern.ParentId is { } parent && transaction.FindLive(parent) is null)
        {
            throw transaction.Rows.Find(parent) is { IsGone: false }
                ? Errors.Deleted(parent) : Errors.NotFound("parent", parent);
        }

        Id = transaction.NextId(core.Disk);
        if (pattern.IdempotencyKey is { } added)
        {
            transaction.WorkingKeys[added] = Id;
        }

        SessionIds.TryParse(Id, out long created, out _);
        transaction.Put(new Row(Id), pattern with { Id = Id, CreatedAt = created, UpdatedAt = created }, isNew: true);
    }
}
