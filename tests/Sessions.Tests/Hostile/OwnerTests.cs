using Sessions.Storage.Files;

namespace Sessions.Tests.Hostile;

/// <summary>Who a store must belong to, and who may not write it, before it is opened.</summary>
public sealed class OwnerTests(HostileFolder folder) : IClassFixture<HostileFolder>
{
    private const uint OpenFolder = 0x1FF; // 0777
    private const uint GroupFolder = 0x1F8; // 0770
    private const uint OpenFile = 0x1B6; // 0666

    [Theory]
    [InlineData("")]
    [InlineData(Layout.StoreFile)]
    [InlineData(Layout.Journal)]
    [InlineData(Layout.Sessions)]
    public void What_somebody_else_owns_is_refused_by_its_rule(string name)
    {
        Assert.SkipUnless(SystemCalls.IsRoot, "Only root gives files away.");
        Refused(store =>
        {
            HostileLibrary.Run("chmod", "-R", "go+rX", store.Folder); // or nobody else can see whose it is
            SystemCalls.Own(store.At(name), HostileFolder.Stranger);
        }, "read+");
    }

    [Theory]
    [InlineData("", OpenFolder)]
    [InlineData("", GroupFolder)]
    [InlineData(Layout.StoreFile, OpenFile)]
    [InlineData(Layout.Journal, OpenFolder)]
    [InlineData(Layout.Sessions, GroupFolder)]
    public void What_others_may_write_is_refused_by_its_rule(string name, uint mode)
        => Refused(store => SystemCalls.Mode(store.At(name), mode), "read+", "write+");

    [Fact]
    public void A_session_that_others_may_write_is_refused_and_the_store_opens()
    {
        Dictionary<string, string> answers = Open("read",
            store => SystemCalls.Mode(store.At($"{folder.Closed.SessionFolder("beta")}/{Layout.EventsFile}"),
                OpenFile));
        Assert.Equal("SESSION_OK", answers["store_open of -"]);
        Assert.Equal("SESSION_OK", answers["read_events of alpha"]);
        Assert.StartsWith("SESSION_E_ACCESS_DENIED {\"rule\":\"store.owner\"", answers["read_events of beta"]);
    }

    [Theory]
    [InlineData("read")]
    [InlineData("write")]
    public void Root_opens_the_store_of_somebody_else(string phase)
    {
        Assert.SkipUnless(SystemCalls.IsRoot, "Only root is root.");
        Assert.Equal("SESSION_OK", Open(phase, _ => { }, "-1")["store_open of -"]);
    }

    [Theory]
    [InlineData("read")]
    [InlineData("write")]
    public void The_path_of_a_store_may_be_a_link(string phase)
    {
        Dictionary<string, string> answers = Open(phase, store =>
        {
            Directory.Move(store.Folder, store.Folder + ".real");
            Directory.CreateSymbolicLink(store.Folder, store.Folder + ".real");
        });
        Assert.All(answers.Where(a => a.Key.EndsWith(" of alpha", StringComparison.Ordinal)),
            a => Assert.True(a.Value == "SESSION_OK", $"{a.Key}: {a.Value}"));
    }

    // The first answer of each call, with its details where it failed.
    private Dictionary<string, string> Open(string phase, Action<CaseStore> change, string? user = null)
    {
        string around = folder.NewFolder();
        try
        {
            CaseStore store = CaseRunner.Copy(folder.Closed, around);
            using Outside outside = store.Outside;
            HostileFolder.Give(around);
            change(store);
            using var host = new HostileHost(user ?? HostileFolder.UserText, phase, store.Folder, folder.Closed.List);
            host.Phase();
            host.End();
            Assert.Empty(host.Faults);
            return host.Steps.GroupBy(s => $"{s.Name} of {s.Role}")
                .ToDictionary(g => g.Key, g => $"{g.First().Status} {g.First().Details}".TrimEnd());
        }
        finally
        {
            HostileFolder.Remove(around);
        }
    }

    private void Refused(Action<CaseStore> change, params string[] allowed)
    {
        foreach (string phase in new[] { "read", "write" })
        {
            Assert.StartsWith("SESSION_E_ACCESS_DENIED {\"rule\":\"store.owner\"",
                Open(phase, change)["store_open of -"]);
        }

        foreach (string phase in allowed)
        {
            Assert.Equal("SESSION_OK", Open(phase, change)["store_open of -"]);
        }
    }
}
