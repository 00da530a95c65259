using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Coordination.Locks;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Crash;

/// <summary>
/// Entries are added, claimed and settled while the disk fails, the process is killed or the power goes, at each call
/// in turn. Then none that was acknowledged is lost, an entry is sent exactly where its prompt is in the log, and
/// when the host has decided about what was interrupted, each prompt is there once.
/// </summary>
public sealed class QueueSweepTests
{
    private const int Prompts = 4;

    [Theory]
    [InlineData(DiskError.Io, false)]
    [InlineData(DiskError.Io, true)]
    [InlineData(DiskError.NoSpace, false)]
    [InlineData(DiskError.NoSpace, true)]
    public void No_failure_loses_an_entry_or_sends_it_twice(object error, bool forGood)
    {
        for (long n = 1; ; n++)
        {
            (FaultyDisk disk, string id) = Prepare();
            FaultyDisk own = disk.OpenAs();
            SessionStore store = Stores.Open(own);
            Session session = store.OpenSession(id);
            (own.FailAt, own.FailWith, own.FailsForGood) = (own.Operations + n, (DiskError)error, forGood);
            var run = new Run(session);
            run.Play();
            bool isOver = own.Failures == 0;
            own.FailAt = 0;
            run.Check(session, $"call {n}, the same store");
            run.Ignore(store.Close);
            Assert.Null(disk.Violation);
            using SessionStore again = Stores.Open(disk.OpenAs());
            using Session same = again.OpenSession(id);
            run.Check(same, $"call {n}");
            Finish(same, run);
            again.AssertSound();
            if (isOver)
            {
                Assert.Empty(run.Failures);
                return;
            }
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Killed_or_cut_at_any_change_nothing_is_lost_or_sent_twice(bool isPowerCut, bool metadataOrdered)
    {
        for (long n = 1; ; n++)
        {
            (FaultyDisk disk, string id) = Prepare();
            SessionStore store = Stores.Open(disk.OpenAs());
            var run = new Run(store.OpenSession(id));
            disk.CutAt = disk.Changes + n;
            run.Play();
            bool isOver = !disk.IsCut;
            for (int seed = 0; seed < (isPowerCut ? 4 : 1); seed++)
            {
                FaultyDisk left = isPowerCut
                    ? disk.AfterPowerCut(seed, new PowerCutOptions { MetadataOrdered = metadataOrdered })
                    : disk.AfterKill();
                using (SessionStore again = Stores.Open(left.OpenAs()))
                {
                    using Session same = again.OpenSession(id);
                    run.Check(same, $"change {n}, draw {seed}");
                    Finish(same, run);
                    again.AssertSound();
                }

                Assert.Null(left.Violation);
            }

            if (isOver)
            {
                Assert.Empty(run.Failures);
                return;
            }
        }
    }

    private static (FaultyDisk Disk, string Id) Prepare()
    {
        var disk = new FaultyDisk(5);
        using SessionStore store = Stores.Open(disk.OpenAs());
        using Session session = store.Create();
        session.Append("note", "\"before\""u8);
        return (disk, session.Id);
    }

    // The host's decision: what was interrupted had not been sent, whatever it looked like, so send it.
    private static void Finish(Session session, Run run)
    {
        foreach (JsonElement entry in session.Queue().GetProperty("entries").EnumerateArray())
        {
            if (entry.State() == "interrupted")
            {
                long seq = session.SettleQueued(entry.Id(), QueueOutcome.Sent);
                Assert.Equal(seq, session.SettleQueued(entry.Id(), QueueOutcome.Sent));
            }
        }

        while (session.NextQueueDue() != 0)
        {
            session.SettleQueued(session.Claim().Id(), QueueOutcome.Sent);
        }

        List<string> texts = Texts(session);
        Assert.Equal(texts.Count, texts.Distinct().Count());
        Assert.Superset(run.Added.ToHashSet(), texts.ToHashSet());
        Assert.Subset(run.Tried.ToHashSet(), texts.ToHashSet());
        Assert.Equal(0, session.Count());
    }

    private static List<string> Texts(Session session) => [.. session.Events().GetProperty("events").EnumerateArray()
        .Where(e => e.GetProperty("type").GetString() == "user_prompt")
        .Select(e => e.GetProperty("data").GetProperty("text").GetString()!)];

    /// <summary>A host that adds prompts, claims and settles each, and notes what it was told.</summary>
    private sealed class Run(Session session)
    {
        private bool? _hasButtons = false;

        public List<string> Tried { get; } = [];

        public List<string> Added { get; } = [];

        public List<string> Sent { get; } = [];

        public List<string> Claimed { get; } = [];

        public List<Exception> Failures { get; } = [];

        public void Play()
        {
            for (int i = 0; i < Prompts; i++)
            {
                string text = $"prompt {i} {new string('x', i * 700)}";
                Tried.Add(text);
                Try(() => session.Add($$"""{"message":"{{text}}","key":"{{i}}"}"""), () => Added.Add(text));
                _hasButtons = null;
                Try(() => session.SetButtons(Stores.Utf8($$"""[{"label":"{{i}}"}]""")), () => _hasButtons = true);
                if (i % 2 == 0)
                {
                    continue;
                }

                JsonElement entry = default;
                Try(() => entry = session.Claim("t"), () => Claimed.Add(entry.Message()));
                if (entry.ValueKind == JsonValueKind.Object)
                {
                    _hasButtons = null;
                    Try(() => session.SettleQueued(entry.Id(), QueueOutcome.Sent), () =>
                    {
                        Sent.Add(entry.Message());
                        _hasButtons = false;
                    });
                }
            }
        }

        public void Ignore(Action action) => Try(action, () => { });

        /// <summary>All that was acknowledged is there, and no entry is apart from its prompt.</summary>
        public void Check(Session seen, string place)
        {
            List<JsonElement> entries = [.. seen.Queue().GetProperty("entries").EnumerateArray()];
            List<JsonElement> events = [.. seen.Events().GetProperty("events").EnumerateArray()];
            Assert.True(entries.Select(e => e.Message()).ToHashSet().IsSupersetOf(Added), place);
            foreach (JsonElement entry in entries)
            {
                var prompts = events.Where(e => e.TryGetProperty("id", out JsonElement id)
                    && id.GetString() == entry.Id()).ToList();
                Assert.True(prompts.Count == (entry.State() == "sent" ? 1 : 0), $"{place}: {entry.State()}");
                Assert.True(prompts.Count == 0 || prompts[0].GetProperty("seq").GetRawText()
                    == entry.GetProperty("seq").GetRawText(), place);
                bool wasClaimed = Claimed.Contains(entry.Message()), wasSent = Sent.Contains(entry.Message());
                Assert.True(!wasSent || entry.State() == "sent", $"{place}: {entry.State()}");
                Assert.True(!wasClaimed || entry.State() is "claimed" or "interrupted" or "sent",
                    $"{place}: {entry.State()}");
            }

            if (_hasButtons is { } has)
            {
                Assert.True(has == seen.Buttons().Contains("label", StringComparison.Ordinal), place);
            }
        }

        private static bool IsCut(Exception? e) => e is not null && (e is PowerCutException || IsCut(e.InnerException));

        private void Try(Action action, Action done)
        {
            try
            {
                action();
                done();
            }
            catch (Exception e) when (IsCut(e) || (e is SessionException s && s.Status is SessionStatus.Io
                or SessionStatus.NoSpace or SessionStatus.Poisoned or SessionStatus.NotFound))
            {
                Failures.Add(e);
            }
        }
    }
}
