using System.Globalization;
using System.Text;
using Sessions.Storage.Files;
using Sessions.Tests.Support;

namespace Sessions.Tests.Hostile;

/// <summary>Each hostile value in place of each member of each frame, and each hostile number in place of each of those
/// that stand in frames' and segments' headers and in the shared page, with checksums that are right.</summary>
internal static class JournalCases
{
    private static readonly (string Name, int Offset)[] s_header =
    [
        ("number", 16), ("size", 24), ("first LSN", 32), ("end of the one before", 40), ("last LSN before", 48),
        ("first needed", 56), ("id's milliseconds", 64), ("id's number", 72), ("told", 80), ("behind the fields", 88),
    ];

    private static readonly (string Name, int Offset)[] s_page =
    [
        ("magic", 0), ("seed", 8), ("boot", 16), ("generation", 24), ("segment", 32), ("published", 40), ("unused", 48),
        ("synced", 56), ("applied", 64), ("id's milliseconds", 72), ("id's number", 80), ("indexed", 88),
        ("health", 104), ("holder", 112), ("floor", 120), ("turn", 192), ("news", 256), ("aborts", 320),
        ("first abort", 1024),
        ("first abort's LSN", 1032),
    ];

    /// <summary>Those of frames.</summary>
    public static IEnumerable<HostileCase> OfFrames(HostileSeed seed)
    {
        (string name, JournalText journal) = Newest(seed);
        for (int i = 0; i < journal.Frames.Count; i++)
        {
            int at = i;
            FrameText frame = journal.Frames[at];
            string number = string.Create(CultureInfo.InvariantCulture, $"frame {at + 1}");
            HostileCase Case(string place, string thing, Func<Outside, FrameText> forged) => new(seed,
                $"{number} {place}", thing, null, store => File.WriteAllBytes(store.At(name),
                    journal.With([.. journal.Frames[..at], forged(store.Outside), .. journal.Frames[(at + 1)..]])));
            foreach ((string place, string thing, Func<Outside, byte[]> json) in ValueCases.Texts(frame.Payload))
            {
                yield return Case(place, thing, outside => frame with { Payload = json(outside) });
            }

            foreach ((string thing, long word) in HostileValues.Words)
            {
                yield return Case("LSN", thing, _ => frame with { Lsn = word });
                yield return Case("synced", thing, _ => frame with { Synced = word });
            }
        }

        foreach (HostileCase one in OfOneMore(seed, name, journal))
        {
            yield return one;
        }
    }

    /// <summary>Those of headers and of the page.</summary>
    public static IEnumerable<HostileCase> OfNumbers(HostileSeed seed)
    {
        (string name, JournalText journal) = Newest(seed);
        foreach ((string thing, long word) in HostileValues.Words)
        {
            foreach ((string field, int offset) in s_header)
            {
                yield return new HostileCase(seed, $"segment's {field}", thing, null,
                    store => File.WriteAllBytes(store.At(name), journal.WithField(offset, word)));
            }

            foreach ((string field, int offset) in s_page)
            {
                yield return new HostileCase(seed, $"page's {field}", thing, null,
                    store => PageCases.Write(store.At(Layout.SharedPage), offset, word));
            }
        }
    }

    // Kinds that the seed's own frames do not have, or not so.
    private static IEnumerable<HostileCase> OfOneMore(HostileSeed seed, string name, JournalText journal)
    {
        long lsn = journal.Frames.Count == 0 ? 0 : journal.Frames[^1].Lsn;
        if (lsn == 0)
        {
            yield break;
        }

        string alpha = seed.Id("alpha"), beta = seed.Id("beta"), kept = $"trash/pruned/1-2-{beta}.jsonl";
        string[] changes =
        [
            $$$"""{"streams":{{{Encoding.UTF8.GetString(ValueCases.StreamsOf(seed))}}}}""",
            $$$"""{"purge":"{{{beta}}}","deletion":0}""",
            $$$"""{"rewrite":"{{{beta}}}","file":"events-i-000000000000-1.new","bytes":3,"kept":"{{{kept}}}"}""",
            $$$"""{"shares":"{{{alpha}}}","image":null}""",
            $$$"""{"log":"{{{alpha}}}","image":null}""",
            $$$"""{"lock":"{{{alpha}}}","image":null,"what":"released","detail":{"epoch":1}}""",
            $$$"""{"queue_add":"{{{alpha}}}","entry":{"id":"q-1-01234567","state":"queued"},"what":"added"}""",
            $$$"""{"append":"{{{beta}}}","offset":0,"counters":[1,1,1,1,1],"lead":true,"sizes":[2],"lines":["{}"]}""",
            $$$"""{"fork":"{{{beta}}}","parent":"{{{alpha}}}"}""",
            $$$"""{"config":{"strict_lock":true}}""",
            $$$"""{"stream_end":"sm_04f1c2a9e377","session":"{{{beta}}}","seq":0}""",
        ];
        foreach (string change in changes)
        {
            byte[] payload = Encoding.UTF8.GetBytes($$"""{"at":1,"by":{"pid":1},"changes":[{{change}}]}""");
            string kind = change.Split('"')[1];
            foreach ((string place, string thing, Func<Outside, byte[]> json) in ValueCases.Texts(payload))
            {
                yield return new HostileCase(seed, $"one more {kind} {place}", thing, null, store => File.WriteAllBytes(
                    store.At(name),
                    journal.With([.. journal.Frames, new FrameText(lsn + 1, lsn, json(store.Outside))])));
            }
        }
    }

    private static (string Name, JournalText Journal) Newest(HostileSeed seed)
    {
        string name = seed.Names().Last(n => Layout.TrySegment(Layout.Name(n), out _));
        return (name, new JournalText(Path.Combine(seed.Folder, name), Path.Combine(seed.Folder, Layout.StoreFile)));
    }
}
