using Sessions.Json;
using Sessions.Storage.Log;
using Sessions.Tests.Disks;

namespace Sessions.Tests.Storage.Log;

/// <summary>Lines whose numbers are out of order harm no other line.</summary>
public sealed class DisplacedLinesTests
{
    [Theory]
    [InlineData("1 2 900 901 3 4 5 6", "1 2 3 4 5 6", "900 901")]
    [InlineData("1 2 900 901 902 3 4 5", "1 2 3 4 5", "900 901 902")] // as many of each: the lower ones are meant
    [InlineData("1 2 7 8 9 3 4 5 6 10", "1 2 3 4 5 6 10", "7 8 9")]
    [InlineData("1 2 10 11 12 5 13 14", "1 2 10 11 12 13 14", "5")]
    [InlineData("1 2 10 5 13", "1 2 5 13", "10")]
    [InlineData("500 501 1 2 3", "1 2 3", "500 501")]
    [InlineData("1 900 2 901 3 902 4 5", "1 2 3 4 5", "900 901 902")]
    [InlineData("1 2 3 10 11", "1 2 3 10 11", "")]
    [InlineData("1 2 3 2 3 4 5", "1 2 3 4 5", "2 3")]
    public void Several_displaced_lines_in_a_row_leave_the_others_whole(string log, string whole, string displaced)
    {
        var disk = new MemoryDisk();
        var lines = new Utf8Buffer();
        foreach (string seq in log.Split(' '))
        {
            EventLine.Write(lines, long.Parse(seq, System.Globalization.CultureInfo.InvariantCulture), "note", 1, null,
                null, "{}"u8);
        }

        disk.Poke("events.jsonl", lines.Written);
        using LogView view = LogView.OpenFile(disk, "events.jsonl");
        var odd = new List<long>();
        var walk = new LogWalk(view, 0, 1000) { OnOdd = p => odd.Add(p.Seq) };
        var found = new List<long>();
        while (walk.TryNext())
        {
            if (walk.Damage is null)
            {
                Assert.Equal(walk.Seq, EventLine.Head(walk.Unclosed.Span).Seq);
                found.Add(walk.Seq);
            }
        }

        Assert.Equal(whole, string.Join(' ', found));
        Assert.Equal(displaced, string.Join(' ', odd));
    }
}
