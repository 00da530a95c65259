using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Sessions.Tests.Model;

/// <summary>The ring keeps the newest notes and pages them by number.</summary>
public sealed class NoteRingTests
{
    [Fact]
    public void AnEmptyRingHasNoNotes() =>
        Assert.Equal("""{"notes":[],"next_after":0}""", Write(new NoteRing(3), 0, 0));

    [Fact]
    public void ANoteIsWrittenAsJson()
    {
        var ring = new NoteRing(3);
        ring.Add(17, "info", "a \"quoted\" C:\\ path\n\u0001 é 🧵");
        Assert.Equal("""
            {"notes":[{"n":1,"at":17,"level":"info","message":"a \"quoted\" C:\\ path\n\u0001 é 🧵"}],"next_after":1}
            """, Write(ring, 0, 0));
    }

    [Theory]
    [InlineData(0, 0, "3,4,5", 5)] // 1 and 2 are gone
    [InlineData(1, 0, "3,4,5", 5)]
    [InlineData(3, 0, "4,5", 5)]
    [InlineData(0, 2, "3,4", 4)]
    [InlineData(4, 2, "5", 5)]
    [InlineData(5, 0, "", 5)]
    [InlineData(9, 0, "", 9)]
    [InlineData(9007199254740991, 1, "", 9007199254740991)]
    public void PagesGoOnWhereTheLastOneEnded(ulong after, uint limit, string numbers, ulong next)
    {
        var ring = new NoteRing(3);
        for (int i = 1; i <= 5; i++)
        {
            ring.Add(i, "info", $"note {i}");
        }

        using JsonDocument page = JsonDocument.Parse(Write(ring, after, limit));
        JsonElement[] notes = [.. page.RootElement.GetProperty("notes").EnumerateArray()];
        Assert.Equal(numbers, string.Join(',', notes.Select(note => note.GetProperty("n").GetInt64())));
        Assert.All(notes,
            note => Assert.Equal($"note {note.GetProperty("n")}", note.GetProperty("message").GetString()));
        Assert.Equal(next, page.RootElement.GetProperty("next_after").GetUInt64());
    }

    private static string Write(NoteRing ring, ulong after, uint limit)
    {
        var output = new ArrayBufferWriter<byte>();
        ring.Write(after, limit, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
