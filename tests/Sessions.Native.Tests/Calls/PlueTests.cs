using System.Text.Json;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>The drop-in of plue_session.h, over its one default store.</summary>
[Collection(WholeProcess.Name)]
public sealed unsafe class PlueTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sessions-native-").FullName;

    public PlueTests()
    {
        Methods.plue_shutdown();
        Assert.Equal(0, Init($$"""{"data_dir":{{JsonSerializer.Serialize(_folder)}}}"""));
    }

    public void Dispose()
    {
        Methods.plue_shutdown();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void TheSameFolderAgainIsFineAndAnotherIsNot()
    {
        Assert.Equal(0, Init($$"""{"data_dir":{{JsonSerializer.Serialize(_folder)}},"trash":true}"""));
        Assert.Equal(0, Init($$"""{"data_dir":{{JsonSerializer.Serialize(_folder + "/")}}}"""));
        Assert.Equal(-1, Init("""{"data_dir":"/elsewhere"}"""));
        Assert.NotEqual("", Call.Text(Methods.plue_get_last_error()));
        Assert.Equal(-1, Methods.plue_init(null)); // the platform's folder is another one
    }

    [Fact]
    public void AConfigurationThatIsNoneIsRefused()
    {
        Assert.Equal(-1, Init("{\n\"data_dir\":}"));
        Assert.Equal((Methods.SESSION_E_INVALID_JSON, 13), (Call.LastError().Status, Call.LastError().Offset));
        foreach (string config in (string[])["[]", "1", """{"data_dir":7}""", """{"trash":"yes"}"""])
        {
            Assert.Equal(-1, Init(config));
            Assert.Equal(Methods.SESSION_E_INVALID_ARGUMENT, Call.LastError().Status);
        }

        Assert.Equal(-1, Init("{} {}"));
        Assert.Equal(-1, Init(""));
    }

    [Fact]
    public void MembersThatItDoesNotKnowAreLeftAlone()
    {
        string folder = JsonSerializer.Serialize(_folder);
        Assert.Equal(0, Init($$"""{"later":[{"data_dir":7}],"data_dir":{{folder}},"more":[1]}"""));
        Assert.Equal(-1, Init("""{"data_dir":null}""")); // the platform's folder is another one
        Assert.Equal(Methods.SESSION_E_CONFLICT, Call.LastError().Status);
    }

    // These were "a bug in the library" once.
    [Fact]
    public void HalfOfASurrogatePairInTheConfigurationIsNoFolderAndNoMember()
    {
        Assert.Equal(-1, Init("""{"data_dir":"/tmp/\ud800"}"""));
        Assert.Equal((Methods.SESSION_E_INVALID_UTF8, """{"argument":"data_dir","offset":5}"""),
            (Call.LastError().Status, Call.LastError().Details));
        string folder = JsonSerializer.Serialize(_folder);
        Assert.Equal(0, Init($$"""{"data\ud800":7,"data_dir":{{folder}},"\udfff":1}"""));
        Assert.Equal(0, Init($$"""{"data\u005fdir":{{folder}}}"""));
    }

    [Fact]
    public void AFolderThatIsGoneForAFileIsAnIoErrorOfEachCall()
    {
        void* session = Create(null);
        Methods.plue_shutdown();
        Directory.Delete(_folder, recursive: true);
        File.WriteAllText(_folder, "");
        Assert.True(Methods.plue_session_list() == null);
        Assert.Equal(Methods.SESSION_E_IO, Call.LastError().Status);
        Assert.True(Methods.plue_session_get_info(session) == null);
        Methods.plue_session_destroy(session);
        File.Delete(_folder);
        Directory.CreateDirectory(_folder);
    }

    [Fact]
    public void AShutdownThatMayHaveLostSomethingLeavesItsError()
    {
        void* session = Create(null);
        HeldStore.Poison(_folder);
        Methods.plue_shutdown();
        Assert.Equal(Methods.SESSION_E_POISONED, Call.LastError().Status);
        Assert.Equal(Call.LastError().Message, Call.Text(Methods.plue_get_last_error()));
        Assert.Single(List()); // opened again, and recovered
        Methods.plue_session_destroy(session);
    }

    [Fact]
    public void AnInfoWithoutSharesHasNoPlaceForALink() => Assert.Equal((-1, -1, 21),
        (PlueConfig.EndOfShareInfo("{}"u8), PlueConfig.EndOfShareInfo("""{"share_info":null}"""u8),
            PlueConfig.EndOfShareInfo("""{"share_info":{"a":{}}}"""u8)));

    [Fact]
    public void ASessionLivesItsLife()
    {
        void* session = Create(null);
        Assert.Equal(0, Call.With("Fix the cart", t => Methods.plue_session_update_title(session, t)));
        Assert.Equal("Fix the cart", Info(session).GetProperty("title").GetString());
        Assert.Equal(0, Methods.plue_session_abort(session));
        Assert.True(Info(session).GetProperty("is_aborted").GetBoolean());
        string id = Info(session).GetProperty("id").GetString()!;
        void* branch = Create(id);
        Assert.Equal(id, Info(branch).GetProperty("parent_id").GetString());
        void* root = Create("");
        Assert.Equal(JsonValueKind.Null, Info(root).GetProperty("parent_id").ValueKind);
        Assert.Equal(3, List().Length);

        Assert.Equal(0, Methods.plue_session_delete(session));
        Assert.Equal(-1, Methods.plue_session_delete(session));
        Assert.Equal(-1, Methods.plue_session_abort(session));
        Assert.True(Methods.plue_session_get_info(session) == null);
        Assert.Single(List());
        foreach (nint handle in (nint[])[(nint)session, (nint)branch, (nint)root])
        {
            Methods.plue_session_destroy((void*)handle);
            Methods.plue_session_destroy((void*)handle);
            Assert.True(Methods.plue_session_get_info((void*)handle) == null);
        }
    }

    [Fact]
    public void AParentThatDoesNotExistLeavesNothingBehind()
    {
        Assert.Equal(1, Call.With("session_1", id => Methods.plue_session_create(id) == null ? 1 : 0));
        Assert.Equal(Methods.SESSION_E_NOT_FOUND, Call.LastError().Status);
        Assert.Empty(List());
    }

    [Fact]
    public void InfoHasTheLinkOnceTheSessionIsShared()
    {
        void* session = Create(null);
        Assert.Equal(JsonValueKind.Null, Info(session).GetProperty("share_info").ValueKind);
        sbyte* json = Methods.plue_session_create_share(session);
        JsonElement share = JsonDocument.Parse(Call.Take(json)).RootElement;
        string url = share.GetProperty("url").GetString()!;
        Assert.StartsWith("https://plue.app/share/", url, StringComparison.Ordinal);
        Assert.EndsWith(share.GetProperty("secret").GetString()!, url, StringComparison.Ordinal);
        JsonElement info = Info(session).GetProperty("share_info");
        foreach (string key in (string[])["share_id", "url", "secret"])
        {
            Assert.Equal(share.GetProperty(key).GetString(), info.GetProperty(key).GetString());
        }

        sbyte* again = Methods.plue_session_create_share(session);
        Assert.Equal(url, JsonDocument.Parse(Call.Take(again)).RootElement.GetProperty("url").GetString());
        Methods.plue_session_destroy(session);
    }

    [Fact]
    public void ASessionOutlivesShutdownAndSoDoesItsHandle()
    {
        void* session = Create(null);
        string id = Info(session).GetProperty("id").GetString()!;
        Methods.plue_shutdown();
        Assert.Equal(id, Info(session).GetProperty("id").GetString());
        Methods.plue_shutdown();
        Assert.Equal(id, List().Single().GetProperty("id").GetString());
        Methods.plue_session_destroy(session);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ADeleteGoesThroughTheTrashUnlessToldOtherwise(bool trash)
    {
        string folder = JsonSerializer.Serialize(_folder);
        Assert.Equal(0, Init($$"""{"data_dir":{{folder}},"trash":{{(trash ? "true" : "false")}}}"""));
        void* session = Create(null);
        Assert.Equal(0, Methods.plue_session_delete(session));
        Methods.plue_session_destroy(session);
        Methods.plue_shutdown();
        session_store_s* store = TestStore.Open(_folder);
        var options = new session_list_options
        {
            size = (uint)sizeof(session_list_options),
            flags = Methods.SESSION_LIST_TRASH,
        };
        sbyte* json;
        Call.Works(Methods.session_list(store, &options, &json, null, null));
        Assert.Equal(trash ? 1 : 0, JsonDocument.Parse(Call.Take(json)).RootElement.GetArrayLength());
        Call.Works(Methods.session_store_close(store));
    }

    private static int Init(string config) => Call.With(config, text => Methods.plue_init(text));

    private static void* Create(string? parent)
    {
        nint session = 0;
        Call.With(parent, id =>
        {
            session = (nint)Methods.plue_session_create(id);
            return 0;
        });
        Assert.True(session != 0, Call.Text(Methods.plue_get_last_error()));
        return (void*)session;
    }

    private static JsonElement Info(void* session)
    {
        sbyte* json = Methods.plue_session_get_info(session);
        Assert.True(json != null, Call.Text(Methods.plue_get_last_error()));
        return JsonDocument.Parse(Call.Take(json)).RootElement;
    }

    private static JsonElement[] List()
    {
        sbyte* json = Methods.plue_session_list();
        Assert.True(json != null, Call.Text(Methods.plue_get_last_error()));
        return [.. JsonDocument.Parse(Call.Take(json)).RootElement.EnumerateArray()];
    }
}
