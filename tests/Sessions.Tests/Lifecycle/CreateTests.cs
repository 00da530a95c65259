using Sessions.Lifecycle;
using Sessions.Storage.Commit;
using Sessions.Storage.Rows;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Lifecycle;

/// <summary>Creating: with parents, with idempotency keys, and what is left behind where it fails: nothing.</summary>
public sealed class CreateTests
{
    private readonly MemoryDisk _disk = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void A_new_session_is_as_it_should_be()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session parent = store.Create();
        Session child = store.Create(parent.Id, new SessionCreateOptions
        {
            Title = "Fix",
            Metadata = """{"a":1}"""u8.ToArray(),
            Facts = """{"type":"user"}"""u8.ToArray(),
            IdempotencyKey = "k",
        });
        string expected = $$"""
            {"id":"{{child.Id}}","parent_id":"{{parent.Id}}","fork_seq":null,"title":"Fix","title_source":"user",
            "created_at":{{_time.NowMs}},"updated_at":{{_time.NowMs}},"last_event_at":null,"message_count":0,
            "event_count":0,"last_seq":0,"revision":{{child.GetStat().Revision}},"state":"created","archived":false,
            "is_aborted":false,"abort_reason":null,"abort_count":0,"share_info":null,"metadata":{"a":1},
            "facts":{"type":"user"},"idempotency_key":"k"}
            """;
        Assert.Equal(expected.ReplaceLineEndings(""), Stores.Text(child.WriteInfo));
    }

    [Fact]
    public void A_parent_that_does_not_exist_leaves_nothing_behind()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session gone = store.Create(), trashed = store.Create();
        gone.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        trashed.Delete();
        IReadOnlyList<string> before = _disk.Paths();
        foreach (string parent in (string[])["session_1", "nobody", gone.Id, trashed.Id])
        {
            SessionStatus status = parent == trashed.Id ? SessionStatus.Deleted : SessionStatus.NotFound;
            SessionException e = Stores.Fails(status, () => store.Create(parent));
            Assert.Contains(parent, e.Details, StringComparison.Ordinal);
        }

        Stores.Fails(SessionStatus.NotFound, () => store.Create(null, new SessionCreateOptions { DecisionId = "d_1" }));
        Assert.Equal(before, _disk.Paths());
        Assert.Equal(0, store.List().GetArrayLength());
    }

    [Fact]
    public void A_repeated_key_opens_the_first_session_again()
    {
        string id;
        var options = new SessionCreateOptions { IdempotencyKey = "k-1", Title = "First" };
        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            id = store.Create(null, options).Id;
            _time.Advance(5);
            Assert.Equal(id, store.Create(null, options with { Title = "Second" }).Id);
            Assert.NotEqual(id, store.Create(null, options with { IdempotencyKey = "k-2" }).Id);
            Assert.NotEqual(id, store.Create().Id);
        }

        using (SessionStore store = Stores.Open(_disk.OpenAs(), _time))
        {
            Assert.Equal(id, store.Create(null, options).Id);
            store.OpenSession(id).Delete();
            string next = store.Create(null, options).Id;
            Assert.NotEqual(id, next);
            Assert.Equal(next, store.Create(null, options).Id);
        }

        using SessionStore last = Stores.Open(_disk.OpenAs(), _time);
        Stores.Fails(SessionStatus.InvalidArgument, () => last.Create(null, options with { IdempotencyKey = "" }));
        Stores.Fails(SessionStatus.InvalidArgument, () => last.Create(null, options with { IdempotencyKey = "a\nb" }));
        Stores.Fails(SessionStatus.InvalidArgument,
            () => last.Create(null, options with { IdempotencyKey = new string('k', 129) }));
    }

    [Fact]
    public void A_key_is_found_when_its_session_changes_in_the_same_batch()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session session = store.Create(null, new SessionCreateOptions { IdempotencyKey = "k" });
        CreateRequest[] creates = [Create(store, "k"), Create(store, "k")];
        RunAsOneBatch(store, new ChangeRequest(Row(store, session), info => info with { Title = "x" }), creates[0]);
        Assert.Equal(session.Id, creates[0].Id);
        RunAsOneBatch(store, new DeleteRequest(store.Core, Row(store, session), DeletePolicy.Cascade), creates[1]);
        Assert.NotEqual(session.Id, creates[1].Id);
        Assert.Equal(1, store.List().GetArrayLength());
    }

    [Fact]
    public void A_child_made_in_the_batch_that_deletes_its_parent_goes_along()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), _time);
        Session parent = store.Create(), refused = store.Create(), orphaned = store.Create();
        CreateRequest[] children =
            [Create(store, null, parent.Id), Create(store, null, refused.Id), Create(store, null, orphaned.Id)];
        var refuses = new DeleteRequest(store.Core, Row(store, refused), DeletePolicy.Refuse);
        var tooLate = Create(store, null, parent.Id);
        RunAsOneBatch(store, [.. children,
            new DeleteRequest(store.Core, Row(store, parent), DeletePolicy.Cascade), refuses,
            new DeleteRequest(store.Core, Row(store, orphaned), DeletePolicy.Orphan), tooLate]);
        Assert.Equal(SessionStatus.HasChildren, Assert.IsType<SessionException>(refuses.Failure).Status);
        Assert.Equal(SessionStatus.Deleted, Assert.IsType<SessionException>(tooLate.Failure).Status);
        Stores.Fails(SessionStatus.Deleted, () => store.OpenSession(children[0].Id));
        Assert.Equal(refused.Id, store.OpenSession(children[1].Id).Info().GetProperty("parent_id").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, store.OpenSession(children[2].Id).Info()
            .GetProperty("parent_id").ValueKind);
    }

    private static CreateRequest Create(SessionStore store, string? key, string? parent = null)
        => new(store.Core, new SessionInfo { Id = "", IdempotencyKey = key, ParentId = parent });

    private static Row Row(SessionStore store, Session session) => store.Core.Rows.Find(session.Id)!;

    private static void RunAsOneBatch(SessionStore store, params CommitRequest[] requests)
    {
        BatchRunner runner = store.Engine.Runner;
        Assert.True(runner.TryEnter());
        Assert.Null(runner.Run([.. requests]));
        runner.Exit();
    }
}
