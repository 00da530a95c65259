using System.Text;

namespace Sessions.Tests.Support;

/// <summary>Makes JSON of every shape from a seed, as compact text: odd spellings, repeats, escapes.</summary>
internal sealed class RandomJson(int seed)
{
    private static readonly string[] Names = ["a", "b", "c", "\\u0061", "é", "k\\n", "", "\\ud83d", "crc", "id"];

    private static readonly string[] Scalars =
    [
        "null", "true", "false", "0", "-0", "1.0", "1e400", "9007199254740993", "-1.50E+07", "\"\"", "\"x\"",
        "\"\\u00e9\\/\"", "\"😀\"", "\"\\ud800\"", "\"a\\\\b\\\"c\"", "\"\\u0000\"",
    ];

    private readonly Random _random = new(seed);

    public string Value(int depth) => _random.Next(depth <= 0 ? 1 : 4) switch
    {
        1 => Object(depth - 1),
        2 => "[" + string.Join(',', Enumerable.Range(0, _random.Next(4)).Select(_ => Value(depth - 1))) + "]",
        _ => Scalars[_random.Next(Scalars.Length)],
    };

    public string Object(int depth) => "{" + string.Join(',', Enumerable.Range(0, _random.Next(5))
        .Select(_ => $"\"{Names[_random.Next(Names.Length)]}\":{Value(depth)}")) + "}";

    /// <summary>The same text with white space between its tokens.</summary>
    public string Spaced(string compact)
    {
        var text = new StringBuilder();
        bool quoted = false;
        for (int i = 0; i < compact.Length; i++)
        {
            char c = compact[i];
            if (c == '"' && !IsEscaped(compact, i))
            {
                quoted = !quoted;
            }

            bool isToken = !quoted && "{}[],:\"".Contains(c);
            if (isToken && c != '"')
            {
                text.Append(Space()).Append(c).Append(Space());
            }
            else
            {
                text.Append(c);
            }
        }

        return text.ToString();
    }

    private string Space()
        => string.Concat(Enumerable.Range(0, _random.Next(3)).Select(_ => " \t\r\n"[_random.Next(4)]));

    private static bool IsEscaped(string text, int at)
    {
        int slashes = 0;
        while (at - slashes > 0 && text[at - slashes - 1] == '\\')
        {
            slashes++;
        }

        return slashes % 2 == 1;
    }
}
