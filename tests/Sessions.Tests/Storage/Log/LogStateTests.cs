using System.Text;
using Sessions.Storage.Log;

namespace Sessions.Tests.Storage.Log;

public sealed class LogStateTests
{
    private static readonly LogState Full = new()
    {
        FirstSeq = 3,
        History = [new HistoryPart("session_1", 2, 10, 700), new HistoryPart("session_2", 11, 20, 1200)],
        Rewinds = [new Rewind(15, 12, 14), new Rewind(31, 25, 30)],
        Compactions = [new Compaction(13, 5), new Compaction(22, 18)],
    };

    [Fact]
    public void It_is_read_as_it_was_written()
    {
        byte[] image = Full.Write("session_9");
        Assert.True(LogState.CanRead(image, "session_9"));
        Assert.False(LogState.CanRead(image, "session_8"));
        LogState read = LogState.Read(image);
        Assert.Equal(Full.FirstSeq, read.FirstSeq);
        Assert.Equal(Full.History, read.History);
        Assert.Equal(Full.Rewinds, read.Rewinds);
        Assert.Equal(Full.Compactions, read.Compactions);
        Assert.Empty(LogState.Plain.Write("session_9"));
        Assert.True(LogState.Read(default).IsPlain);
    }

    [Theory]
    [InlineData("""{"session_id":"s"}""")]
    [InlineData("""{"session_id":"s","first_seq":"x","history":[],"rewinds":[],"compactions":[]}""")]
    [InlineData("""{"session_id":"s","first_seq":1,"history":{},"rewinds":[],"compactions":[]}""")]
    [InlineData("""{"session_id":"s","first_seq":1,"history":[{}],"rewinds":[],"compactions":[]}""")]
    [InlineData("""{"first_seq":1,"history":[],"rewinds":[],"compactions":[]}""")]
    [InlineData("[]")]
    public void What_is_no_state_is_told(string image) =>
        Assert.False(LogState.CanRead(Encoding.UTF8.GetBytes(image), "s"));

    [Theory]
    [InlineData(11, false)]
    [InlineData(12, true)]
    [InlineData(14, true)]
    [InlineData(15, false)]
    [InlineData(30, true)]
    public void Rewinds_hide_what_lies_in_them(long seq, bool isHidden) => Assert.Equal(isHidden, Full.IsHidden(seq));

    [Fact]
    public void The_context_starts_at_the_kept_point_of_the_last_compaction_that_is_seen()
    {
        Assert.Equal(18, Full.ContextFrom);
        Assert.Equal(5, (Full with { Rewinds = [new Rewind(40, 21, 39)] }).ContextFrom);
        Assert.Equal(3, (Full with { Rewinds = [new Rewind(40, 6, 39)] }).ContextFrom); // both are hidden
        Assert.Equal(19, (Full with { FirstSeq = 19 }).ContextFrom);
    }
}
