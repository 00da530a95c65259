using System.Text.Json.Nodes;

namespace Sessions.Tests.Hostile;

/// <summary>Each member of a JSON text, one at a time, with each value that somebody who wants harm might put
/// there.</summary>
internal static class ValuesMutation
{
    private const string Hole = "@hole@";

    /// <summary>What leads out of a folder, or is no name.</summary>
    public static readonly string[] Names =
    [
        "\"..\"", "\".\"", "\"../../outside/canary\"", "\"x/../../../outside/canary\"", "\"a/b\"", "\"/etc/passwd\"",
        "\"a\\\\b\"", "\"a\\u0000b\"", "\"\"", "\".hidden\"", "\"a\\nb\"", "\"\\ud800\"", "\"ä\"", "\"a b\"",
        $"\"{new string('a', 300)}\"",
    ];

    /// <summary>What no number of ours is.</summary>
    public static readonly string[] Numbers =
    [
        "-1", "-9223372036854775808", "-9223372036854775809", "9007199254740992", "9223372036854775806",
        "9223372036854775807", "9223372036854775808", "18446744073709551615", "1e400", "0.5", "1e3", "\"5\"",
    ];

    /// <summary>The largest that a number may be, and what is odd but may be.</summary>
    public static readonly string[] Edges = ["0", "1", "2147483647", "2147483648", "4294967296", "9007199254740991"];

    /// <summary>Other kinds of value, deep and long ones among them.</summary>
    public static readonly string[] Kinds =
    [
        "null", "true", "{}", "[]", "[1]", "{\"a\":1}", Deep(100), Deep(200),
        "[" + string.Join(',', Enumerable.Repeat("0", 5000)) + "]",
    ];

    public static IEnumerable<string> All => [.. Names, .. Numbers, .. Edges, .. Kinds];

    /// <summary>The text with each of its values replaced in turn by each of the given ones, and where.</summary>
    public static IEnumerable<(string Where, string Text)> Of(string json, IEnumerable<string> values)
    {
        List<string> hostile = [.. values];
        JsonNode root = JsonNode.Parse(json)!;
        foreach (string path in Paths(root, ""))
        {
            string text = WithHole(json, path);
            foreach (string value in hostile)
            {
                string shown = value.Length > 40 ? value[..40] + "…" : value;
                yield return ($"{path} = {shown}", text.Replace($"\"{Hole}\"", value, StringComparison.Ordinal));
            }
        }
    }

    /// <summary>The paths of all values below the root, as in `a.0.b`.</summary>
    public static IEnumerable<string> Paths(string json) => Paths(JsonNode.Parse(json)!, "");

    private static IEnumerable<string> Paths(JsonNode? node, string path)
    {
        IEnumerable<(string Name, JsonNode? Value)> inner = node switch
        {
            JsonObject o => o.Select(m => (m.Key, m.Value)),
            JsonArray a => a.Select((v, i) => (i.ToString(System.Globalization.CultureInfo.InvariantCulture), v)),
            _ => [],
        };
        foreach ((string name, JsonNode? value) in inner.ToList())
        {
            string own = path.Length == 0 ? name : path + "." + name;
            yield return own;
            foreach (string deeper in Paths(value, own))
            {
                yield return deeper;
            }
        }
    }

    private static string WithHole(string json, string path)
    {
        JsonNode root = JsonNode.Parse(json)!;
        string[] names = path.Split('.');
        JsonNode parent = root;
        foreach (string name in names[..^1])
        {
            parent = parent is JsonArray list ? list[int.Parse(name)]! : parent[name]!;
        }

        if (parent is JsonArray array)
        {
            array[int.Parse(names[^1])] = Hole;
        }
        else
        {
            parent[names[^1]] = Hole;
        }

        return root.ToJsonString();
    }

    private static string Deep(int levels) => new string('[', levels) + new string(']', levels);
}
