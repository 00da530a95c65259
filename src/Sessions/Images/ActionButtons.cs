using System.Globalization;
using System.Text;
using System.Text.Json;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Images;

/// <summary>A suggestion for what to say next.</summary>
/// <param name="Label">What stands on the button.</param>
/// <param name="Response">What the user says by it.</param>
internal readonly record struct ActionButton(string Label, string Response);

/// <summary>The suggestions of a session: what a host hands in, what action_buttons.json holds, what is
/// shown.</summary>
/// <param name="ForSeq">The event that they follow; 0: they were set before the first one.</param>
/// <param name="Buttons">None where there is no file.</param>
internal sealed record ActionButtons(long ForSeq, IReadOnlyList<ActionButton> Buttons)
{
    public static readonly ActionButtons None = new(0, []);

    /// <summary>Reads an array of {"label","response"}; only the first are kept, and of each text its
    /// beginning.</summary>
    public static List<ActionButton> ReadArgument(ReadOnlySpan<byte> json)
    {
        const string argument = "buttons_json";
        byte[] compact = JsonArgument.CompactText(json, argument, isObject: false);
        if (compact[0] != '[')
        {
            throw Errors.Argument(argument, "buttons_json must be an array.");
        }

        var buttons = new List<ActionButton>();
        foreach (ReadOnlyMemory<byte> item in JsonMembers.Items(compact))
        {
            string? label = null, response = null;
            foreach (JsonMember m in item.Span[0] == '{' ? JsonMembers.Of(item)
                : throw Errors.Argument(argument, "Each button must be an object."))
            {
                switch (m.Name)
                {
                    case "label": label = Text(m); break;
                    case "response": response = m.IsNull ? null : Text(m); break;
                    default: throw Errors.Word(argument, m.Name, "label", "response");
                }
            }

            label ??= Missing();
            buttons.Add(new ActionButton(Cut(label, Limits.ButtonLabelCharactersMax),
                Cut(response ?? label, Limits.ButtonResponseCharactersMax)));
        }

        return buttons.Take(Limits.ButtonsMax).ToList();

        static string Missing() => throw Errors.Argument(argument, "Each button must have a label.");

        static string Text(JsonMember m)
        {
            string text = m.Value.Span[0] == '"' ? m.Text
                : throw Errors.Argument(argument, $"{m.Name} must be a string.");
            Checks.Bytes(text, argument);
            return text.Length > 0 ? text : throw Errors.Argument(argument, $"{m.Name} must not be empty.");
        }
    }

    /// <summary>The longest beginning of at most so many characters (code points) that ends where people see one end:
    /// never between a letter and its accent, nor inside an emoji or a flag. Only where the first of them is longer
    /// than that is it cut.</summary>
    public static string Cut(string text, int max)
    {
        int at = 0, count = 0;
        while (at < text.Length)
        {
            int length = StringInfo.GetNextTextElementLength(text, at);
            count += Characters(text.AsSpan(at, length));
            if (count > max)
            {
                return at > 0 ? text[..at] : CutInside(text, max);
            }

            at += length;
        }

        return text;
    }

    /// <summary>The buttons of a compact image; none where there is no image.</summary>
    public static ActionButtons Read(ReadOnlyMemory<byte> image)
    {
        long forSeq = 0;
        var buttons = new List<ActionButton>();
        foreach (JsonMember m in image.IsEmpty ? [] : JsonMembers.Of(image))
        {
            if (m.Name == "for_seq")
            {
                forSeq = m.Number;
            }
            else if (m.Name == "buttons")
            {
                buttons.AddRange(JsonMembers.Items(m.Value).Select(ReadButton));
            }
        }

        return buttons.Count == 0 ? None : new ActionButtons(forSeq, buttons);
    }

    /// <summary>Whether these are buttons as this version writes them.</summary>
    public static bool CanRead(ReadOnlyMemory<byte> image)
    {
        try
        {
            Read(image);
            return true;
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or JsonException)
        {
            return false; // the caller's answer to this is the answer: the file is damaged
        }
    }

    /// <summary>The image; empty where there are none, for then there is no file.</summary>
    public byte[] Write(string sessionId)
    {
        if (Buttons.Count == 0)
        {
            return [];
        }

        var b = new Utf8Buffer(512);
        b.Byte('{').Member("session_id", sessionId);
        WriteMembers(b);
        return b.Byte('}').ToArray();
    }

    /// <summary>The same as hosts are shown it.</summary>
    public void WriteTo(Utf8Buffer b)
    {
        b.Byte('{');
        WriteMembers(b);
        b.Byte('}');
    }

    /// <summary>What whoever watches is told.</summary>
    public byte[] Detail() => new Utf8Buffer(64).Byte('{').Member("for_seq", Buttons.Count == 0 ? null : ForSeq)
        .Member("count", Buttons.Count).Byte('}').ToArray();

    private void WriteMembers(Utf8Buffer b)
    {
        b.Member("for_seq", Buttons.Count == 0 ? null : ForSeq).Name("buttons").Byte('[');
        for (int i = 0; i < Buttons.Count; i++)
        {
            b.Raw(i == 0 ? "{"u8 : ",{"u8).Member("label", Buttons[i].Label).Member("response", Buttons[i].Response)
                .Byte('}');
        }

        b.Byte(']');
    }

    private static ActionButton ReadButton(ReadOnlyMemory<byte> item)
    {
        List<JsonMember> m = JsonMembers.Of(item);
        return new ActionButton(Find("label"), Find("response"));

        string Find(string name)
            => m.Find(x => x.Name == name) is { Name: not null } found ? found.Text : throw new FormatException();
    }

    private static int Characters(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (Rune _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }

    private static string CutInside(string text, int max)
    {
        int at = 0;
        for (int count = 0; count < max; count++)
        {
            at += char.IsSurrogatePair(text, at) ? 2 : 1;
        }

        return text[..at];
    }
}
