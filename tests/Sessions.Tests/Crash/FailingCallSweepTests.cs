using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Crash;

/// <summary>
/// The Nth call of the disk fails, for N = 1, 2, 3 … until a run meets no failure: once, or from then
/// on. A call of the API that fails then says so with a status that fits, what was acknowledged is
/// there when the disk is well again, and what was refused is not.
/// </summary>
public sealed class FailingCallSweepTests
{
    [Theory]
    [InlineData(DiskError.Io, false)]
    [InlineData(DiskError.Io, true)]
    [InlineData(DiskError.NoSpace, false)]
    [InlineData(DiskError.NoSpace, true)]
    public void No_failure_loses_what_was_acknowledged(object error, bool forGood)
    {
        for (long n = 1; ; n++)
        {
            try
            {
                if (!FailOnce(n, (DiskError)error, forGood))
                {
                    return;
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"call {n}: {e.Message}", e);
            }
        }
    }

    private static bool FailOnce(long n, DiskError error, bool forGood)
    {
        var disk = new FaultyDisk((int)n);
        FaultyDisk opening = disk.OpenAs();
        opening.FailAt = n;
        opening.FailsForGood = forGood;
        opening.FailWith = error;
        var ledger = new Ledger();
        SessionStore? store = null;
        ledger.Try(() => store = Stores.Open(opening));
        if (store is not null)
        {
            ledger.Work(store);
            opening.FailAt = 0;
            ledger.Work(store); // it goes on, or says that it cannot
            ledger.Try(store.Close);
        }

        Assert.Null(disk.Violation);
        SessionStore again = Stores.Open(disk.OpenAs());
        ledger.Check(again);
        again.AssertSound();
        ledger.Work(again);
        Assert.Empty(ledger.FailuresSince);
        ledger.Check(again);
        again.Close();
        again = Stores.Open(disk.OpenAs());
        ledger.Check(again);
        again.Close();
        Assert.Null(disk.Violation);
        return opening.Failures > 0;
    }

    /// <summary>What was acknowledged, what was refused, and what is in doubt.</summary>
    private sealed class Ledger
    {
        private readonly Dictionary<string, (List<string> Texts, string Title)> _sessions = [];
        private readonly HashSet<string> _inDoubt = [];
        private readonly List<(string SessionId, string[] Texts)> _streams = [];
        private int _count;

        public List<SessionException> FailuresSince { get; } = [];

        public bool Try(Action action)
        {
            try
            {
                action();
                return true;
            }
            catch (SessionException e)
            {
                Assert.True(e.Status is SessionStatus.Io or SessionStatus.NoSpace or SessionStatus.Poisoned
                    or SessionStatus.Closed, $"{e.Status}: {e}");
                FailuresSince.Add(e);
                return false;
            }
        }

        public void Work(SessionStore store)
        {
            FailuresSince.Clear();
            Session? session = null;
            string title = $"title {++_count}";
            if (Try(() => session = store.Create(null, new SessionCreateOptions { Title = title })))
            {
                _sessions.Add(session!.Id, ([], title));
            }
            else
            {
                _inDoubt.Add(title);
            }

            if (session is null)
            {
                return;
            }

            for (int i = 0; i < 3; i++)
            {
                string text = $"text {++_count}";
                AppendFlags flags = i == 1 ? AppendFlags.Relaxed : AppendFlags.None;
                (Try(() => session.Say(text, flags)) ? _sessions[session.Id].Texts : (ICollection<string>)_inDoubt)
                    .Add(text);
            }

            Stream(session);
            string renamed = $"title {++_count}";
            if (Try(() => session.UpdateTitle(renamed)))
            {
                _sessions[session.Id] = (_sessions[session.Id].Texts, renamed);
            }
            else
            {
                _inDoubt.Add(renamed);
            }

            Try(() => session.WriteShare(null, new System.Buffers.ArrayBufferWriter<byte>()));
            Try(store.Flush);
            Try(() => store.Run(store.Engine.Checkpointer.TryRun));
            Try(() => session.Abort("enough"));
        }

        // What was written is there in the end, whoever ended it and however; of a chunk that failed,
        // and only of the first, nobody knows.
        private void Stream(Session session)
        {
            SessionStream? stream = null;
            if (!Try(() => stream = session.BeginStream("agent_message")))
            {
                _inDoubt.Add("");
                return;
            }

            string text = "", doubt = "";
            for (int i = 0; i < 3; i++)
            {
                string chunk = $"chunk {++_count} ";
                if (Try(() => stream!.Write(Stores.Utf8(chunk))))
                {
                    text += chunk;
                }
                else if (FailuresSince[^1].Status == SessionStatus.Io)
                {
                    doubt = chunk;
                }
            }

            if (Try(() => stream!.End()))
            {
                _sessions[session.Id].Texts.Add(text);
            }
            else
            {
                _inDoubt.UnionWith([text, text + doubt]);
                _streams.Add((session.Id, [text, text + doubt]));
            }
        }

        public void Check(SessionStore store)
        {
            JsonElement list = store.List(new SessionListOptions { Order = ListOrder.CreatedAscending });
            var found = new HashSet<string>();
            foreach (JsonElement info in list.EnumerateArray())
            {
                string id = info.GetProperty("id").GetString()!, title = info.GetProperty("title").GetString()!;
                found.Add(id);
                bool known = _sessions.TryGetValue(id, out (List<string> Texts, string Title) mine);
                Assert.True((known && mine.Title == title) || _inDoubt.Contains(title),
                    $"{id} is {title}, not {mine.Title}");
                using Session session = store.OpenSession(id);
                var texts = session.Events().GetProperty("events").EnumerateArray()
                    .Select(e => e.GetProperty("data").GetProperty("text").GetString()!).ToList();
                Assert.Equal(known ? mine.Texts : [], texts.Where(t => !_inDoubt.Contains(t)));
                foreach ((_, string[] written) in _streams.Where(s => s.SessionId == id))
                {
                    Assert.Single(texts, written.Contains);
                }

                Assert.Empty(session.Streams());
                if (known)
                {
                    _sessions[id] = (texts, title); // what was in doubt is settled now, for good
                }
                else
                {
                    _sessions.Add(id, (texts, title));
                }

                _inDoubt.ExceptWith(texts);
            }

            _streams.Clear();

            Assert.Superset(_sessions.Keys.ToHashSet(), found);
        }
    }
}
