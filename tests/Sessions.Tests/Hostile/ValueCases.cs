using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Sessions.Storage.Files;

namespace Sessions.Tests.Hostile;

/// <summary>Each hostile value in place of each member of each file of JSON, with checksums that are right.</summary>
internal static partial class ValueCases
{
    private const string Streams = """
        {"streams":[{"stream_id":"sm_04f1c2a9e377","session":"<iota>","type":"agent_message","turn_id":"t-3","id":null,
        "timestamp":0,"started_at":1795158395000,"owner":"i-0c2a8360630c","text":"Workin"},
        {"stream_id":"sm_04f1c2a9e378","session":"<iota>","type":"agent_message","turn_id":"t-4","id":"x",
        "timestamp":0,"started_at":1795158395000,
        "owner":"i-cac75e07268c","seq":2}]}
        """;

    /// <summary>All of them for a seed.</summary>
    public static IEnumerable<HostileCase> Of(HostileSeed seed)
    {
        foreach (string name in seed.Names().Where(n => !n.StartsWith("journal", StringComparison.Ordinal)))
        {
            string path = Path.Combine(seed.Folder, name);
            IEnumerable<HostileCase> cases = name == Layout.IndexFile ? OfIndex(seed, File.ReadAllBytes(path))
                : name.EndsWith(".json", StringComparison.Ordinal) ? OfFile(seed, name, Forge.OpenFile(
                    File.ReadAllBytes(path)))
                : name.EndsWith(".jsonl", StringComparison.Ordinal) ? OfLog(seed, name, File.ReadAllBytes(path)) : [];
            foreach (HostileCase one in cases)
            {
                yield return one;
            }
        }

        byte[] streams = StreamsOf(seed);
        foreach (HostileCase one in OfFile(seed, Layout.StreamsFile, streams))
        {
            yield return one with { Concerns = null };
        }
    }

    /// <summary>Texts with a hostile value in place of one, and what these are called.</summary>
    public static IEnumerable<(string Place, string Thing, Func<Outside, byte[]> Json)> Texts(byte[] json)
    {
        foreach (JsonPlace place in JsonPlaces.Of(json))
        {
            foreach (string value in HostileValues.Names)
            {
                yield return (place.Name, value,
                    outside => JsonPlaces.With(json, place, HostileValues.Get(value, outside)));
            }

            if (place.IsMember)
            {
                yield return (place.Name, "not there", _ => JsonPlaces.Without(json, place));
                yield return (place.Name, "twice", _ => JsonPlaces.Twice(json, place));
            }
        }
    }

    /// <summary>The object of a streams.json for that store.</summary>
    public static byte[] StreamsOf(HostileSeed seed) => Encoding.UTF8.GetBytes(LineEnds().Replace(Streams, "")
        .Replace("<iota>", seed.Id("iota"), StringComparison.Ordinal));

    private static IEnumerable<HostileCase> OfFile(HostileSeed seed, string name, byte[] body)
        => Texts(body).Select(t => new HostileCase(seed, $"{seed.Alias(name)} {t.Place}", t.Thing, seed.Concerns(name),
            store => File.WriteAllBytes(store.At(name), Forge.CloseFile(t.Json(store.Outside)))));

    private static IEnumerable<HostileCase> OfLog(HostileSeed seed, string name, byte[] log)
    {
        List<byte[]> lines = Lines(log);
        for (int i = 0; i < lines.Count; i++)
        {
            int at = i;
            foreach ((string place, string thing, Func<Outside, byte[]> json) in Texts(Forge.OpenLine(lines[at])))
            {
                string line = string.Create(CultureInfo.InvariantCulture, $"line {at + 1}");
                yield return new HostileCase(seed, $"{seed.Alias(name)} {line} {place}", thing, seed.Concerns(name),
                    store => WriteLines(store.At(name), lines, at, Close(json(store.Outside), Forge.CloseLine)));
            }
        }
    }

    private static IEnumerable<HostileCase> OfIndex(HostileSeed seed, byte[] index)
    {
        List<byte[]> lines = Lines(index);
        byte[] closing = [.. lines[^1][..^",\"crc\":\"00000000\"}".Length], (byte)'}'];
        lines.RemoveAt(lines.Count - 1);
        for (int i = 0; i < lines.Count; i++)
        {
            int at = i;
            foreach ((string place, string thing, Func<Outside, byte[]> json) in Texts(lines[at]))
            {
                string row = string.Create(CultureInfo.InvariantCulture, $"row {at + 1}");
                yield return new HostileCase(seed, $"index.jsonl {row} {place}", thing, null,
                    store => File.WriteAllBytes(store.At(Layout.IndexFile),
                        Forge.Index([.. lines[..at], json(store.Outside), .. lines[(at + 1)..]], closing)));
            }
        }

        byte[] rows = [.. lines.SelectMany(l => l.Append((byte)'\n'))];
        foreach ((string place, string thing, Func<Outside, byte[]> json) in Texts(closing))
        {
            yield return new HostileCase(seed, $"index.jsonl {place}", thing, null, store => File.WriteAllBytes(
                store.At(Layout.IndexFile),
                [.. rows, .. Close(json(store.Outside), Forge.CloseIndex), (byte)'\n']));
        }
    }

    // What is no object any more has no place for a checksum.
    private static byte[] Close(byte[] body, Func<byte[], byte[]> close)
        => body.Length > 2 && body[^1] == '}' ? close(body) : body;

    private static void WriteLines(string path, List<byte[]> lines, int at, byte[] line)
    {
        byte[] text = [.. lines[..at].Append(line).Concat(lines[(at + 1)..]).SelectMany(l => l.Append((byte)'\n'))];
        using FileStream file = File.Open(path, FileMode.Open); // the same file under all of its names
        file.SetLength(0);
        file.Write(text);
    }

    private static List<byte[]> Lines(byte[] text)
        => [.. Encoding.Latin1.GetString(text).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(Encoding.Latin1.GetBytes)];

    [GeneratedRegex(@"\s*\n\s*")]
    private static partial Regex LineEnds();
}
