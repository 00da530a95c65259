using Sessions.Json;
using Sessions.Storage.Commit;

namespace Sessions.Lifecycle;

/// <summary>Changes the store's rules, or those of one workspace.</summary>
internal sealed class ConfigRequest(string? workspaceId, byte[] patch) : CommitRequest
{
    // A file has at least one member, so rules that are all back at their defaults are one that is spelled out.
    private static readonly byte[] Default = """{"strict_lock":false}"""u8.ToArray();

    public override void Run(Transaction transaction)
    {
        byte[] before = transaction.Config();
        byte[] change = patch;
        if (workspaceId is not null)
        {
            var wrapped = new Utf8Buffer();
            wrapped.Raw("{\"workspaces\":{"u8).Name(workspaceId).Raw(patch).Raw("}}"u8);
            change = wrapped.ToArray();
        }

        byte[] after = MergePatch.Apply(before.Length == 0 ? "{}"u8.ToArray() : before, change);
        if (!after.AsSpan().SequenceEqual(before) && !(before.Length == 0 && after.Length == 2))
        {
            transaction.PutConfig(after.Length > 2 ? after : Default);
        }
    }
}
