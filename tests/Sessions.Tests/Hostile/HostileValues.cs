using System.Text;

namespace Sessions.Tests.Hostile;

/// <summary>What may stand in the place of a value of JSON, each with a name for whoever has to find
/// it again.</summary>
internal static class HostileValues
{
    private const int Deep = 10_000;
    private const int Wide = 20_000;

    /// <summary>Numbers at and around the edges of what fits something.</summary>
    public static readonly (string Name, string Json)[] Numbers =
    [
        ("0", "0"), ("-1", "-1"), ("1", "1"), ("2^31-1", "2147483647"), ("2^31", "2147483648"),
        ("2^32", "4294967296"), ("2^40", "1099511627776"), ("2^53-1", "9007199254740991"),
        ("2^53", "9007199254740992"), ("2^53+1", "9007199254740993"), ("2^62", "4611686018427387904"),
        ("2^63-2", "9223372036854775806"), ("2^63-1", "9223372036854775807"), ("2^63", "9223372036854775808"),
        ("2^63+1", "9223372036854775809"), ("2^64-1", "18446744073709551615"), ("2^64", "18446744073709551616"),
        ("-2^31-1", "-2147483649"), ("-2^53", "-9007199254740992"), ("-2^63", "-9223372036854775808"),
        ("-2^63-1", "-9223372036854775809"), ("a half", "0.5"), ("1e308", "1e308"), ("1e400", "1e400"),
        ("400 digits", new string('9', 400)),
    ];

    /// <summary>The same numbers as far as eight bytes hold them.</summary>
    public static readonly (string Name, long Number)[] Words =
    [
        ("0", 0), ("1", 1), ("-1", -1), ("7", 7), ("2^31", 1L << 31), ("2^32", 1L << 32), ("2^40", 1L << 40),
        ("2^53", 1L << 53), ("2^62", 1L << 62), ("2^63-2^20", long.MaxValue - (1 << 20)),
        ("2^63-2", long.MaxValue - 1), ("2^63-1", long.MaxValue), ("-2^63", long.MinValue),
        ("-2^63+1", long.MinValue + 1), ("-2^31", -(1L << 31)), ("4095", 4095), ("4096", 4096), ("4097", 4097),
    ];

    private static readonly (string Name, string Text)[] s_texts =
    [
        ("empty", ""), ("a dot", "."), ("two dots", ".."), ("a separator", "/"), ("two dots and a separator", "../"),
        ("a backslash", "\\\\"), ("a separator inside", "a/b"), ("a backslash inside", "a\\\\b"),
        ("NUL", "\\u0000"), ("NUL inside", "a\\u0000b"), ("a dot in front", ".hidden"), ("a dash", "-"),
        ("200 letters", new string('a', 200)), ("300 letters", new string('a', 300)),
        ("5,000 letters", new string('a', 5_000)), ("half a pair", "\\ud800"), ("a line end", "a\\nb"),
        ("a bidirectional override", "\\u202e"), ("an id at 1", "session_1"),
        ("an id at 2^63-1", "session_9223372036854775807"), ("an id at 2^63", "session_9223372036854775808"),
        ("an id of 20 digits", "session_99999999999999999999"), ("an id below 0", "session_-1"),
        ("the last id of year 9999", "session_253402300799999"), ("the first id behind it", "session_253402300800000"),
        ("an id numbered 2^63-1", "session_1_9223372036854775807"), ("a temporary name", "new-session_1"),
        ("a name of the store's", "session.json"), ("a stream id", "sm_000000000000"),
        ("a share id", "sh_000000000000"),
    ];

    /// <summary>All their names, the same for each store.</summary>
    public static readonly string[] Names = [.. All("").Select(v => v.Name)];

    /// <summary>The value of that name, for a store with this beside it.</summary>
    public static byte[] Get(string name, Outside outside)
        => Encoding.UTF8.GetBytes(All(outside.Folder).First(v => v.Name == name).Json);

    private static IEnumerable<(string Name, string Json)> All(string outside)
        =>
        [
            .. Numbers,
            .. s_texts.Select(t => (t.Name, Quote(t.Text))),
            .. Ways(outside).Select(w => (w.Name, Quote(w.Text))),
            ("null", "null"), ("true", "true"), ("an empty object", "{}"), ("an empty array", "[]"),
            ("an array", "[1]"), ("an object", "{\"a\":1}"), ("an array of nothing", "[null]"),
            ("100 deep", Nested(100)), ("200 deep", Nested(200)), ("10,000 deep", Nested(Deep)),
            ("20,000 wide", $"[{string.Join(',', Enumerable.Repeat("0", Wide))}]"),
        ];

    // Up and out from each depth that a name of a store is at, and from nowhere.
    private static IEnumerable<(string Name, string Text)> Ways(string outside)
    {
        foreach (string target in new[] { "home", "home/diary", "home/diary.jsonl", "new" })
        {
            yield return ($"the path of {target}", $"{outside}/{target}");
            for (int up = 1; up <= 7; up++)
            {
                string way = string.Concat(Enumerable.Repeat("../", up)) + "outside/" + target;
                yield return ($"{up} up to {target}", way);
                yield return ($"down and {up} up to {target}", "x/" + way);
            }
        }
    }

    private static string Quote(string text) => $"\"{text}\"";

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);
}
