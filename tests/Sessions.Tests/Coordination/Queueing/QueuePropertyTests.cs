using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Sessions.Images;
using Sessions.Json;
using Sessions.Rules;

namespace Sessions.Tests.Coordination.Queueing;

/// <summary>Random calls on a queue, held against <see cref="QueueModel"/> after each of them: what the call answers,
/// and all that is there afterwards, also as it comes back from the file.</summary>
public sealed class QueuePropertyTests
{
    private static readonly string[] Stores = ["i-one", "i-two", "i-three"];
    private static readonly string[] Outcomes = ["sent", "release", "failed", "cancelled"];

    [Fact]
    public void Any_calls_in_any_order_do_what_the_model_does()
    {
        Gen<Call[]> calls = Gen.Choose(0, 11).SelectMany(kind => Gen.Choose(0, 10_000),
            (kind, a) => (kind, a)).SelectMany(c => Gen.Choose(0, 10_000), (c, b) => new Call(c.kind, c.a, b))
            .ArrayOf();
        Arbitrary<Call[]> arbitrary = Arb.From(calls, Shorter);
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(400).WithEndSize(150), Prop.ForAll(arbitrary, Agree));
    }

    [Fact]
    public void So_do_many_calls_on_a_large_queue()
    {
        var random = new Random(41);
        Call[] calls = [.. Enumerable.Range(0, 6000)
            .Select(_ => new Call(random.Next(12), random.Next(10_000), random.Next(10_000)))];
        Assert.True(Agree(calls, max: 100));
    }

    private static IEnumerable<Call[]> Shorter(Call[] calls)
    {
        for (int length = calls.Length / 2; length > 0; length /= 2)
        {
            for (int at = 0; at + length <= calls.Length; at += length)
            {
                yield return [.. calls[..at], .. calls[(at + length)..]];
            }
        }
    }

    private static bool Agree(Call[] calls) => Agree(calls, max: 10);

    private static bool Agree(Call[] calls, int max)
    {
        var model = new QueueModel { Max = max };
        QueueState state = QueueState.Empty;
        long now = 1_000_000;
        int ids = 0;
        var known = new List<string> { "q-0-unknown" };
        for (int i = 0; i < calls.Length; i++)
        {
            (int kind, int a, int b) = calls[i];
            string id = known[a % known.Count], who = Stores[b % Stores.Length], fresh = $"q-{ids + 1}";
            QueueRules rules = new() { IsEnabled = model.Enabled, SizeMax = model.Max, DelayMs = model.Pause };
            QueueState found = state.Interrupt(s => !model.Gone.Contains(s));
            SessionStatus expected, actual;
            switch (kind)
            {
                case 0 or 1 or 2: // many, so that there is something to work on
                    string? key = a % 3 == 0 ? $"k{b % 5}" : null;
                    long at = a % 4 == 0 ? now + (b % 4000) - 1000 : 0;
                    long every = a % 5 == 0 ? 1000 + (b % 2000) : 0;
                    long until = every > 0 && b % 2 == 0 ? now + b : 0;
                    long count = every > 0 && until == 0 ? 1 + (b % 4) : 0;
                    (expected, QueueModel.Item? added) = model.Add(fresh, $"t{i}", key, at, every, until, count, now);
                    QueueEntry draft = new()
                    {
                        Message = Json($"t{i}"), Key = key, ScheduledAt = at,
                        Repeat = every == 0 ? null : new QueueRepeat(every, until, count),
                    };
                    actual = Try(() =>
                    {
                        (state, QueueEntry entry) = found.Add(draft, () => fresh, rules, now);
                        Assert.Equal(added?.Id, entry.Id);
                    });
                    break;
                case 3:
                    string? title = b % 4 == 0 ? null : $"title {b}";
                    string? text = b % 2 == 0 ? $"edit {b}" : null;
                    expected = model.Edit(id, text, title);
                    actual = Try(() => state = found.Update(id, e => text is null ? e with { Title = title }
                        : e with { Message = Json(text) }, isOfTitle: text is null));
                    break;
                case 4:
                    int delta = (b % 9) - 4;
                    expected = model.Move(id, delta);
                    actual = Try(() => state = found.Move(id, delta));
                    break;
                case 5:
                    expected = model.Remove(id);
                    actual = Try(() => state = found.Remove(id));
                    break;
                case 6 when a % 4 == 0:
                    int dropped = model.Clear();
                    (state, int cleared) = found.Clear();
                    Assert.Equal(dropped, cleared);
                    (expected, actual) = (SessionStatus.Ok, SessionStatus.Ok);
                    break;
                case 7 or 8:
                    who = Living(model, who);
                    (expected, QueueModel.Item? claimed) = model.Claim(who, $"turn {i}", now);
                    actual = Try(() =>
                    {
                        (state, QueueEntry entry) = found.Claim($"turn {i}", who, rules, now);
                        Assert.Equal(claimed?.Id, entry.Id);
                    });
                    break;
                case 9:
                    who = Living(model, who);
                    id = b % 3 > 0 && model.Waiting.Find(w => w.State == "claimed") is { } one ? one.Id : id;
                    string outcome = Outcomes[a % Outcomes.Length];
                    (expected, QueueModel.Item? next) = model.Settle(id, outcome, who, $"d{i}", i + 1, fresh, now);
                    actual = Try(() =>
                    {
                        var how = (QueueOutcome)Array.IndexOf(Outcomes, outcome);
                        QueueEntry entry = found.RequireSettling(id, how, who);
                        (state, _, QueueEntry? again) = found.Settle(entry, how, $"d{i}", outcome == "sent" ? i + 1 : 0,
                            () => fresh, now);
                        Assert.Equal(next?.Id, again?.Id);
                    });
                    break;
                case 10:
                    now += b % 3000;
                    (expected, actual) = (SessionStatus.Ok, SessionStatus.Ok);
                    break;
                default:
                    Configure(model, a, b);
                    (expected, actual) = (SessionStatus.Ok, SessionStatus.Ok);
                    break;
            }

            Assert.True(expected == actual, $"call {i} ({kind}, {id}): {actual}, not {expected}");
            rules = new() { IsEnabled = model.Enabled, SizeMax = model.Max, DelayMs = model.Pause };
            found = state.Interrupt(s => !model.Gone.Contains(s));
            QueueState read = QueueCodec.Read(QueueCodec.Write(state, "session_1"))
                .Interrupt(s => !model.Gone.Contains(s));
            Assert.Equal(model.Describe(), Describe(found));
            Assert.Equal(model.Describe(), Describe(read));
            Assert.Equal(model.NextDue(), found.NextDue(rules, now));
            AssertInvariants(found, rules, max);
            AssertSpliced(state);
            if (found.Knows(fresh))
            {
                ids++;
                known.Add(fresh);
            }
        }

        return true;
    }

    // An entry at the end is put into the image that was there; that is the image of the whole.
    private static void AssertSpliced(QueueState state)
    {
        if (state.Entries.Count == 0)
        {
            return;
        }

        QueueState before = state with { Entries = [.. state.Entries.SkipLast(1)] };
        byte[] image = QueueCodec.Write(before, "session_1"), whole = QueueCodec.Write(state, "session_1");
        byte[] entry = QueueCodec.WriteEntry(state.Entries[^1]);
        KnownQueue? added = QueueCodec.WriteAdded(QueueCodec.ReadKnown(image), state, entry);
        Assert.Equal(before.IsEmpty ? null : whole, added?.Image);
        Assert.Equal(added?.EntriesEnd, added is null ? null : QueueCodec.ReadKnown(whole).EntriesEnd);
    }

    // A store that is gone comes back under another name only.
    private static string Living(QueueModel model, string who)
        => model.Gone.Contains(who) ? $"{who}-{model.Gone.Count}" : who;

    private static void Configure(QueueModel model, int a, int b)
    {
        switch (a % 6)
        {
            case 0:
                model.Enabled = !model.Enabled;
                break;
            case 1:
                model.Pause = b % 2000;
                break;
            case 2:
                model.Max = 1 + (b % 100);
                break;
            default:
                foreach (QueueModel.Item item in model.Waiting.Where(i => i.Who is not null))
                {
                    model.Gone.Add(item.Who!);
                }

                break;
        }
    }

    private static void AssertInvariants(QueueState state, in QueueRules rules, int max)
    {
        Assert.All(state.Entries, e => Assert.False(e.IsSettled));
        Assert.All(state.Settled, e => Assert.True(e.IsSettled));
        Assert.InRange(state.Settled.Count, 0, QueueState.RecordsMax);
        Assert.Equal(state.Entries.Count, state.Entries.Select(e => e.Id).Distinct().Count());
        Assert.All(state.Entries, e => Assert.True(e.State != QueueEntryState.Claimed || e.ClaimedBy is not null));
        Assert.InRange(state.Entries.Count, 0, Math.Max(100, Math.Max(max, rules.SizeMax)));
    }

    private static string Describe(QueueState state)
        => $"generation {state.Generation}, sent {state.LastDeliveryAt}\n"
            + string.Join('\n', state.Entries.Select(Describe)) + "\n---\n"
            + string.Join('\n', state.Settled.Select(Describe));

    private static string Describe(QueueEntry e)
        => $"{e.Id} {QueueEntry.Word(e.State)} {Encoding.UTF8.GetString(e.Message.Span).Trim('"')} {e.Title} {e.Key} "
            + $"{e.ScheduledAt} {e.QueuedAt} {e.Generation} {e.Repeat?.EveryMs ?? 0}/{e.Repeat?.Until ?? 0}/"
            + $"{e.Repeat?.Count ?? 0} {e.ClaimedBy} {e.TurnId} {e.Detail} {e.Seq}";

    private static byte[] Json(string text) => new Utf8Buffer().Text(text).ToArray();

    private static SessionStatus Try(Action action)
    {
        try
        {
            action();
            return SessionStatus.Ok;
        }
        catch (SessionException e)
        {
            return e.Status;
        }
    }

    internal readonly record struct Call(int Kind, int A, int B);
}
