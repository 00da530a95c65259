using System.Text.Json;
using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Abi;

/// <summary>Headers, committed description and library say the same.</summary>
public sealed unsafe class AbiJsonTests
{
    private static readonly string s_file = Path.Combine(Library.Root, "include", "sessions_abi.json");

    [Fact]
    public void TheCommittedDescriptionIsThatOfTheHeaders()
    {
        string expected = AbiDocument.Write(ClangReader.Header);
        if (Environment.GetEnvironmentVariable("SESSIONS_UPDATE_ABI") == "1")
        {
            File.WriteAllText(s_file, expected); // tools/abi.sh; the change is reviewed as a diff
        }

        Assert.Equal(expected, File.ReadAllText(s_file));
    }

    [Fact]
    public void TheLibraryAnswersTheCommittedDescription()
    {
        sbyte* json;
        nuint length;
        Assert.Equal(Methods.SESSION_OK, Methods.session_abi_json(&json, &length));
        Assert.Equal(AbiDocument.Compact(File.ReadAllText(s_file)), Call.Take(json, length));
    }

    [Fact]
    public void TheDescriptionIsCompactJson()
    {
        string compact = AbiDocument.Compact(File.ReadAllText(s_file));
        using JsonDocument document = JsonDocument.Parse(compact);
        Assert.Equal(compact, JsonSerializer.Serialize(document.RootElement, new JsonSerializerOptions
        {
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }));
    }

    [Fact]
    public void EveryNamedFeatureIsSupportedAndNothingElse()
    {
        string known = File.ReadAllText(Path.Combine(Library.Root, "src", "Sessions.Native", "c", "features.inc"));
        Assert.Equal(AbiDocument.Features, known.Split(['"', ',', '\n', ' '], StringSplitOptions.RemoveEmptyEntries));
        foreach (string feature in AbiDocument.Features)
        {
            Assert.Equal(1, Call.With(feature, Methods.session_supports));
        }

        Assert.Equal(0, Call.With("no_such_feature", Methods.session_supports));
        Assert.Equal(0, Call.With("", Methods.session_supports));
        Assert.Equal(0, Methods.session_supports(null));
    }

    [Fact]
    public void VersionsAgree()
    {
        string version = Call.Text(Methods.session_version())!;
        Assert.Equal("0.1.0", version);
        Assert.Equal(version, Call.Text(Methods.SESSION_VERSION_STRING));
        Assert.Contains($"<Version>{version}</Version>",
            File.ReadAllText(Path.Combine(Library.Root, "Directory.Build.props")), StringComparison.Ordinal);
        Assert.Equal($"{Methods.SESSION_VERSION_MAJOR}.{Methods.SESSION_VERSION_MINOR}." +
            $"{Methods.SESSION_VERSION_PATCH}", version);
        Assert.Equal(Methods.SESSION_ABI_VERSION, Methods.session_abi_version());
    }
}
