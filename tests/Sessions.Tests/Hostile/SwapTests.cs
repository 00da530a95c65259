using Sessions.Storage.Files;

namespace Sessions.Tests.Hostile;

/// <summary>In a store that a team shares somebody puts a link in the place of a folder, and takes it away again, as
/// fast as can be, while another one works: what the link leads to is left alone.</summary>
public sealed class SwapTests(HostileFolder folder) : IClassFixture<HostileFolder>
{
    private const int Rounds = 8;
    private static readonly string s_stranger = $"{HostileFolder.Stranger}";

    [Theory]
    [InlineData(Layout.Temporary)]
    [InlineData(Layout.Sessions)]
    [InlineData(Layout.Journal)]
    [InlineData(Layout.Locks)]
    [InlineData(Layout.Trash)]
    [InlineData("day")]
    [InlineData("session")]
    public void A_folder_that_is_swapped_for_a_link_all_the_time_leads_nobody_out(string what)
    {
        Assert.SkipUnless(SystemCalls.IsRoot, "Only root can be two others.");
        string around = folder.NewFolder();
        try
        {
            CaseStore store = CaseRunner.Copy(folder.Closed, around);
            using Outside outside = store.Outside;
            HostileFolder.Give(around);
            HostileLibrary.Run("chmod", "-R", "a+rwX", store.Folder);
            string alpha = folder.Closed.SessionFolder("alpha");
            string name = what == "session" ? alpha : what == "day" ? Layout.Parent(alpha) : what;
            outside.Watch();
            using var swapper = new HostileHost(s_stranger, "swap", store.At(Layout.Parent(name)), Layout.Name(name),
                outside.Home);
            Assert.True(swapper.ReadUntil("swapping"), string.Join('\n', swapper.Faults));
            using var owner = new HostileHost(HostileFolder.UserText, "over", $"{Rounds}", store.Folder,
                "shared");
            owner.ReadUntil("end");
            owner.End();
            swapper.End();
            List<string> wrong = [.. outside.Touched(), .. owner.Faults, .. swapper.Faults];
            wrong.AddRange(owner.Steps.Where(s => s.Status is "SESSION_E_INTERNAL" or "unknown")
                .Select(s => $"{s.Name}: {s.Status} {s.Details}"));
            Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(20)));
            Assert.True(owner.Steps.Count >= Rounds, "The owner did nothing.");
        }
        finally
        {
            HostileFolder.Remove(around);
        }
    }
}
