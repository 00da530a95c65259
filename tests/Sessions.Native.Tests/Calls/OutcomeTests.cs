using System.Text.Json;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>What calls answer when they work, where there is more than one answer.</summary>
public sealed unsafe class OutcomeTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly nint _session;

    public OutcomeTests() => _session = (nint)_store.Create();

    private session_s* Session => (session_s*)_session;

    private nint Store => (nint)_store.Handle;

    public void Dispose()
    {
        Methods.session_destroy(Session);
        _store.Dispose();
    }

    [Fact]
    public void ASuggestionIsAppliedUntilSomebodyNamesTheSession()
    {
        int applied = -1;
        int Suggest(string title) => Call.With(title, text =>
        {
            int answer;
            int status = Methods.session_suggest_title(Session, text, &answer);
            applied = answer;
            return status;
        });
        Call.Works(Suggest("suggested"));
        Assert.Equal(1, applied);
        Call.Works(Call.With("named", text => Methods.session_update_title(Session, text)));
        Call.Works(Suggest("too late"));
        Assert.Equal(0, applied);
        Assert.Contains("\"title\":\"named\"", TestStore.Info(Session), StringComparison.Ordinal);
    }

    [Fact]
    public void AnAbortIsSeenUntilItIsCleared()
    {
        int aborted;
        Call.Works(Methods.session_is_aborted(Session, &aborted));
        Assert.Equal(0, aborted);
        Call.Works(Methods.session_abort(Session, null));
        Call.Works(Methods.session_is_aborted(Session, &aborted));
        Assert.Equal(1, aborted);
        Call.Works(Methods.session_wait_abort(Session, Methods.SESSION_WAIT_FOREVER));
        Call.Works(Methods.session_clear_abort(Session));
        Call.Works(Methods.session_is_aborted(Session, &aborted));
        Assert.Equal(0, aborted);
    }

    [Fact]
    public void WhatWasDeletedCanBeRestored()
    {
        string id = TestStore.Id(Session);
        Call.Works(Methods.session_delete(Session, Methods.SESSION_DELETE_CASCADE));
        Call.Works(Call.With(id, text => Methods.session_restore((session_store_s*)Store, text)));
        Call.Works(Call.With(id, text =>
        {
            session_s* again;
            int status = Methods.session_open((session_store_s*)Store, text, &again);
            Call.Works(Methods.session_destroy(again));
            return status;
        }));
    }

    [Fact]
    public void AShareOpensASessionUntilItIsRevoked()
    {
        sbyte* json;
        nuint length;
        Call.Works(Methods.session_create_share(Session, null, &json, &length));
        using JsonDocument share = JsonDocument.Parse(Call.Take(json, length));
        nint shared = 0;
        int Resolve(string member) => Call.With(share.RootElement.GetProperty(member).GetString(), text =>
        {
            session_s* opened;
            int status = Methods.session_resolve_share((session_store_s*)Store, text, &opened);
            shared = (nint)opened;
            return status;
        });
        foreach (string member in (string[])["secret", "url"])
        {
            Call.Works(Resolve(member));
            Assert.Equal(TestStore.Id(Session), TestStore.Id((session_s*)shared));
            Call.Works(Methods.session_destroy((session_s*)shared));
        }

        Call.Works(Call.With(share.RootElement.GetProperty("share_id").GetString(),
            text => Methods.session_revoke_share(Session, text)));
        Call.Fails(Methods.SESSION_E_NOT_FOUND, Resolve("secret"));
        Assert.Equal(0, shared);
    }

    [Fact]
    public void AListOfPagesHandsOutItsCursorToWhoeverWantsIt()
    {
        nint second = (nint)_store.Create();
        var options = new session_list_options { size = (uint)sizeof(session_list_options), limit = 1 };
        sbyte* json;
        sbyte* cursor;
        Call.Works(Methods.session_list((session_store_s*)Store, &options, &json, null, null));
        string first = Call.Take(json);
        Call.Works(Methods.session_list((session_store_s*)Store, &options, &json, null, &cursor));
        Assert.Equal(first, Call.Take(json));
        options.cursor = cursor;
        sbyte* next;
        Call.Works(Methods.session_list((session_store_s*)Store, &options, &json, null, &next));
        Call.Take(cursor);
        using JsonDocument rest = JsonDocument.Parse(Call.Take(json));
        Assert.Equal(1, rest.RootElement.GetArrayLength());
        Assert.DoesNotContain(rest.RootElement[0].GetProperty("id").GetString()!, first, StringComparison.Ordinal);
        Assert.True(next == null, "there are only two sessions");
        Call.Works(Methods.session_destroy((session_s*)second));
    }

    [Fact]
    public void MetadataFromTheStartIsThere()
    {
        Call.Works(Call.With("""{"pinned":true}""", metadata =>
        {
            var options = new session_create_options
            {
                size = (uint)sizeof(session_create_options),
                metadata_json = metadata,
            };
            session_s* made;
            int status = Methods.session_create((session_store_s*)Store, null, &options, &made);
            Assert.Contains("\"metadata\":{\"pinned\":true}", TestStore.Info(made), StringComparison.Ordinal);
            Call.Works(Methods.session_destroy(made));
            return status;
        }));
    }

    [Fact]
    public void AnEventNeedsAType()
    {
        Error error = Call.Fails(Methods.SESSION_E_INVALID_ARGUMENT, Call.With("", type => Call.With("{}",
            data => Methods.session_append_event(Session, type, data, 2, 0, null))));
        Assert.Contains("\"argument\":\"type\"", error.Details, StringComparison.Ordinal);
    }

    [Fact]
    public void AWholeStoreVerifiesAndIsSalvagedAsItIs()
    {
        sbyte* json;
        nuint length;
        foreach (uint flags in (uint[])[0, Methods.SESSION_VERIFY_QUICK])
        {
            Call.Works(Methods.session_store_verify_ex((session_store_s*)Store, flags, &json, &length));
            string report = Call.Take(json, length);
            Assert.Contains("\"ok\":true", report, StringComparison.Ordinal);
            Assert.Contains(flags == 0 ? "\"deep\":true" : "\"deep\":false", report, StringComparison.Ordinal);
        }

        Call.Works(_store.Close());
        foreach (string? options in (string?[])[null, "{}"])
        {
            nint report = 0;
            Call.Works(Call.With(_store.Folder, path => Call.With(options, text =>
            {
                sbyte* answer;
                int status = Methods.session_store_salvage(path, text, &answer, null);
                report = (nint)answer;
                return status;
            })));
            using JsonDocument document = JsonDocument.Parse(Call.Take((sbyte*)report));
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        }
    }

    [Fact]
    public void ARewindIsUndoneAndAStreamBecomesAnEvent()
    {
        ulong seq;
        Call.Works(Call.With("note", t => Call.With("{}",
            d => { ulong n; return Methods.session_append_event(Session, t, d, 2, 0, &n); })));
        Call.Works(Methods.session_rewind(Session, 0));
        Call.Works(Methods.session_undo_rewind(Session));
        Call.Fails(Methods.SESSION_E_NOT_FOUND, Methods.session_undo_rewind(Session));
        session_stream_s* stream;
        nint place = (nint)(&stream);
        Call.Works(Call.With("note", t => Methods.session_stream_begin(Session, t, null, (session_stream_s**)place)));
        nint handle = (nint)stream;
        Call.Works(Call.With("text", t => Methods.session_stream_write((session_stream_s*)handle, t, 4)));
        Call.Works(Methods.session_stream_end(stream, null, &seq));
        Assert.Equal(4UL, seq); // behind the two markers
        Call.Works(Methods.session_stream_destroy(stream));
    }
}
