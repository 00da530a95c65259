using System.Text.Json;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>Strings go in and come out whole, whatever their length.</summary>
public sealed unsafe class StringTests
{
    [Fact]
    public void TitlesOfEveryLengthComeBack()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        nint handle = (nint)session;
        foreach (int length in (int[])[1, 2, 899, 900, 901, 950, 1000, 1024, 4000, 16384])
        {
            string title = new('x', length);
            Call.Works(Call.With(title, t => Methods.session_update_title((session_s*)handle, t)));
            using JsonDocument info = JsonDocument.Parse(TestStore.Info(session));
            Assert.Equal(title, info.RootElement.GetProperty("title").GetString());
        }

        Error error = Call.Fails(Methods.SESSION_E_LIMIT,
            Call.With(new string('x', 16385), t => Methods.session_update_title((session_s*)handle, t)));
        Assert.Contains("16384", error.Details, StringComparison.Ordinal);
        Call.Works(Methods.session_destroy(session));
    }

    [Fact]
    public void LinesEmojiAndQuotesComeBack()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        nint handle = (nint)session;
        string[] titles =
        [
            "two\nlines\r\n\ttab", "🧵 👩‍👩‍👧 𝔘𝔫𝔦", "\"quoted\" \\ </script>", "\u0001\u001f\u007f",
        ];
        foreach (string title in titles)
        {
            Call.Works(Call.With(title, t => Methods.session_update_title((session_s*)handle, t)));
            using JsonDocument info = JsonDocument.Parse(TestStore.Info(session));
            Assert.Equal(title, info.RootElement.GetProperty("title").GetString());
        }

        Call.Works(Methods.session_destroy(session));
    }

    [Fact]
    public void AMegabyteOfEventsComesBackTokenForToken()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        string large = $$"""{"n":1.50e+10,"a":"\u00e9\/","b":"{{new string('é', 200_000)}}","dup":1,"dup":2}""";
        Assert.Equal(1UL, TestStore.Append(session, "note", large));
        Assert.Equal(2UL, TestStore.Append(session, "note", " { \"a\" : [ 1 , 2 ] } "));
        sbyte* json;
        nuint length;
        Call.Works(Methods.session_read_events(session, 0, 0, &json, &length));
        string page = Call.Take(json, length);
        Assert.Contains($"\"data\":{large}", page, StringComparison.Ordinal);
        Assert.Contains("\"data\":{\"a\":[1,2]}", page, StringComparison.Ordinal);
        Call.Works(Methods.session_destroy(session));
    }

    [Fact]
    public void ManyEventTypesOfOneThreadKeepTheirNames()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        string[] types = [.. Enumerable.Range(0, 40).Select(i => $"type_{i % 20}"), "ab", "ba", "typé", "typé", "é"];
        foreach (string type in types)
        {
            TestStore.Append(session, type, "{}");
        }

        sbyte* json;
        Call.Works(Methods.session_read_events(session, 0, 0, &json, null));
        using JsonDocument page = JsonDocument.Parse(Call.Take(json));
        Assert.Equal(types,
            page.RootElement.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("type").GetString()));
        Call.Works(Methods.session_destroy(session));
    }

    [Fact]
    public void TheNotesArePagedByNumber()
    {
        sbyte* json;
        nuint length;
        Call.Works(Methods.session_log_read(0, 0, &json, &length));
        using JsonDocument all = JsonDocument.Parse(Call.Take(json, length));
        ulong last = all.RootElement.GetProperty("next_after").GetUInt64();
        Call.Works(Methods.session_log_read(Argument.IntegerMax, 1, &json, &length));
        Assert.Equal($$"""{"notes":[],"next_after":{{Argument.IntegerMax}}}""", Call.Take(json, length));
        Assert.Equal(last, (ulong)all.RootElement.GetProperty("notes").GetArrayLength());
    }
}
