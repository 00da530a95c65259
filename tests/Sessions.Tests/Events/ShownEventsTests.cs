using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Sessions.Events.Schema;

namespace Sessions.Tests.Events;

/// <summary>What people copy: the events in docs, headers and examples.</summary>
public sealed partial class ShownEventsTests
{
    [Fact]
    public void The_quickstart_and_all_that_is_shown_records_what_the_check_accepts()
    {
        int found = 0;
        foreach (string file in Shown())
        {
            string text = File.ReadAllText(file);
            foreach ((string type, string data) in InJson(text).Concat(InC(text)))
            {
                Misfit? misfit = SchemaCheck.Find(type, Encoding.UTF8.GetBytes(data));
                Assert.True(misfit is null, $"{file}: {type} {data}: {misfit?.Message}");
                found++;
            }
        }

        Assert.True(found >= 25, $"{found} events were found");
    }

    private static IEnumerable<string> Shown()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "docs", "EVENTS.md")))
        {
            root = root.Parent;
        }

        return new[] { "docs", "examples", "include" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root.FullName, folder), "*",
                SearchOption.AllDirectories))
            .Where(file => !file.EndsWith(".json", StringComparison.Ordinal))
            .Append(Path.Combine(root.FullName, "README.md"));
    }

    // {"type":"…",…,"data":…}, also with members before it.
    private static IEnumerable<(string Type, string Data)> InJson(string text)
    {
        foreach (Match match in JsonEvent().Matches(text))
        {
            JsonElement shown;
            try
            {
                var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text[match.Index..]));
                shown = JsonDocument.ParseValue(ref reader).RootElement;
            }
            catch (JsonException)
            {
                continue; // abbreviated, as {...} is
            }

            if (shown.TryGetProperty("type", out JsonElement type)
                && shown.TryGetProperty("data", out JsonElement data))
            {
                yield return (type.GetString()!, data.GetRawText());
            }
        }
    }

    // "type", "data" among the arguments of a call.
    private static IEnumerable<(string Type, string Data)> InC(string text)
    {
        foreach (Match match in CEvent().Matches(text))
        {
            string data = string.Concat(match.Groups[2].Captures.Select(piece => piece.Value));
            if (data.StartsWith('{'))
            {
                yield return (match.Groups[1].Value, data.Replace("\\\"", "\"", StringComparison.Ordinal));
            }
        }
    }

    [GeneratedRegex(@"\{(?:""seq"":\d+,)?""type"":""[a-z_:.]+"",[^\n]*""data"":")]
    private static partial Regex JsonEvent();

    [GeneratedRegex(@"""([a-z_]+)"",\s*(?:""(\{?(?:[^""\\\n]|\\.)*)""\s*)+[,)]")]
    private static partial Regex CEvent();
}
