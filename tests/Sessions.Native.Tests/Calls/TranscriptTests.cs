using System.Text.Json;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>Transcripts through the interface; what is in them is the engine's, and tested there.</summary>
public sealed unsafe class TranscriptTests
{
    [Fact]
    public void EveryFormatComesWithAndWithoutOptions()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        TestStore.Append(session, "user_prompt", """{"text":"Hé"}""");
        foreach (int format in (int[])[Methods.SESSION_TRANSCRIPT_MESSAGES, Methods.SESSION_TRANSCRIPT_UI_MESSAGES])
        {
            using JsonDocument all = JsonDocument.Parse(Transcript(session, format, null));
            Assert.Equal("m-1", all.RootElement.GetProperty("messages")[0].GetProperty("id").GetString());
            Assert.Equal("{\"messages\":[],\"last_seq\":1}", Transcript(session, format, "{\"after_seq\":1}"));
        }

        Assert.Equal("# T\n\n## User\n\nHé\n",
            Transcript(session, Methods.SESSION_TRANSCRIPT_MARKDOWN, "{\"title\":\"T\"}"));
        Assert.StartsWith("<!DOCTYPE html>", Transcript(session, Methods.SESSION_TRANSCRIPT_HTML, null),
            StringComparison.Ordinal);
        Call.Works(Methods.session_destroy(session));
    }

    [Fact]
    public void AnUnknownOptionIsRefused()
    {
        using var store = new TestStore();
        session_s* session = store.Create();
        nint handle = (nint)session;
        sbyte* json;
        Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Call.With("{\"limit\":1}",
            t => Refused((session_s*)handle, t)));
        Assert.StartsWith("{\"argument\":\"options_json\",\"expected\":\"one of after", error.Details,
            StringComparison.Ordinal);
        Call.Works(Methods.session_transcript(session, 0, null, &json, null));
        Call.Take(json);
        Call.Works(Methods.session_destroy(session));
    }

    private static int Refused(session_s* session, sbyte* options)
    {
        sbyte* json = (sbyte*)1;
        nuint length = 1;
        int status = Methods.session_transcript(session, 0, options, &json, &length);
        Assert.True(json == null && length == 0);
        return status;
    }

    private static string Transcript(session_s* session, int format, string? options)
    {
        string text = "";
        nint handle = (nint)session;
        Call.Works(Call.With(options, t =>
        {
            sbyte* json;
            nuint length;
            int status = Methods.session_transcript((session_s*)handle, format, t, &json, &length);
            text = Call.Take(json, length);
            return status;
        }));
        return text;
    }
}
