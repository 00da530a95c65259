using System.Globalization;
using System.Text.Json;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Support;

namespace Sessions.Tests.Processes;

/// <summary>What processes do to sessions that they share: branches, prunes, locks, the queue.</summary>
internal sealed partial class Ledger
{
    private readonly List<(string Id, string Text)> _queued = [];

    private void TakeTogether(string[] order, string answer, KnownSession? session)
    {
        switch (order[0])
        {
            case "fork":
                string[] branch = answer.Split(' ');
                TakeId(branch[0]);
                _sessions.Add(branch[0], new KnownSession(order[2]) { Parent = order[1], Shared = Number(branch[1]) });
                break;
            case "prune" when answer.Length > 0:
                session!.PruneTo(Number(answer));
                break;
            case "hold":
                long[] seqs = [.. answer.Split(' ').Select(Number)];
                for (int i = 0; i < seqs.Length; i++)
                {
                    Assert.True(seqs[i] == seqs[0] + i, $"Somebody wrote under another's lock: {answer}");
                    session!.Take(seqs[i], string.Create(CultureInfo.InvariantCulture, $"{order[2]}.{i}"));
                }

                break;
            case "enqueue":
                _queued.Add((order[1], order[2]));
                break;
            case "deliver":
                int space = answer.IndexOf(' ', StringComparison.Ordinal);
                session!.Take(Number(answer[..space]), answer[(space + 1)..]);
                break;
        }
    }

    // A branch that nobody was told of; null where the title is none of such a one.
    private KnownSession? FindFork(string title, JsonElement info)
        => Doubted("fork").FirstOrDefault(d => d[2] == title) is { } order
            ? new KnownSession(title) { Parent = order[1], Shared = info.GetProperty("fork_seq").GetInt64() } : null;

    // What may have been appended without anybody being told.
    private IEnumerable<string> DoubtedTogether(string id) =>
    [
        .. Doubted("hold").Where(d => d[1] == id)
            .SelectMany(d => Enumerable.Range(0, (int)Number(d[3])).Select(i => $"{d[2]}.{i}")),
        .. Doubted("deliver").Any(d => d[1] == id) ? Queued(id).Except(_sessions[id].Events.Values) : [],
    ];

    private IEnumerable<string> Queued(string id)
        => [.. _queued.Where(q => q.Id == id).Select(q => q.Text),
            .. Doubted("enqueue").Where(d => d[1] == id).Select(d => d[2])];

    private void CheckTogether(SessionStore store)
    {
        foreach ((string id, KnownSession session) in _sessions)
        {
            if (session is { IsLive: true, Shared: > 0 } && _sessions[session.Parent ?? id] is { IsLive: true } parent)
            {
                foreach ((long seq, string text) in session.Events.Where(e => e.Key <= session.Shared))
                {
                    Assert.Equal(parent.Events[seq], text);
                }
            }
        }

        foreach (string[] held in Doubted("hold"))
        {
            long[] seqs = [.. _sessions[held[1]].Events
                .Where(e => e.Value.StartsWith(held[2] + ".", StringComparison.Ordinal)).Select(e => e.Key).Order()];
            Assert.True(seqs.Length == 0 || seqs[^1] - seqs[0] == seqs.Length - 1,
                $"Somebody wrote under another's lock: {string.Join(' ', seqs)}");
        }

        CheckQueues(store);
    }

    // Each entry that was acknowledged waits, or was sent, and sent once.
    private void CheckQueues(SessionStore store)
    {
        foreach (string id in _shared)
        {
            using Session session = store.OpenSession(id);
            List<string> places =
            [
                .. Stores.Json(session.WriteQueue).GetProperty("entries").EnumerateArray()
                    .Where(e => e.GetProperty("state").GetString() is "queued" or "claimed" or "interrupted")
                    .Select(e => e.GetProperty("message").GetString()!),
                .. _sessions[id].Events.Values,
            ];
            foreach (string text in Queued(id))
            {
                int count = places.Count(p => p == text);
                bool isKnown = _queued.Contains((id, text));
                Assert.True(count == 1 || (count == 0 && !isKnown), $"{id}: entry {text} is there {count} times.");
            }
        }

        _queued.AddRange(Doubted("enqueue").Where(d => IsThere(d[1], d[2])).Select(d => (d[1], d[2])));

        bool IsThere(string id, string text)
        {
            using Session session = store.OpenSession(id);
            return Stores.Text(session.WriteQueue).Contains($"\"{text}\"", StringComparison.Ordinal)
                || _sessions[id].Events.ContainsValue(text);
        }
    }
}
