using System.Text.Json;
using Sessions.Platform;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Branches;

/// <summary>A branch is whole from its frame on, whether or not its links are there.</summary>
public sealed class UnlinkedBranchTests
{
    private readonly MemoryDisk _disk = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_reader_alone_sees_the_history_of_a_branch_whose_links_were_not_made(bool isDeep)
    {
        MemoryDisk opening = _disk.OpenAs();
        bool dies = false;
        SessionStore store = Stores.Open(opening, atStep: s =>
        {
            if (dies && s == Step.CommitSynced)
            {
                opening.Kill();
            }
        });
        Session parent = store.Create();
        parent.Say("1");
        string file = Stores.Json(b => parent.PutFile("a.txt", "kept"u8, b)).GetProperty("file_id").GetString()!;
        if (isDeep)
        {
            parent = parent.Fork();
            parent.Say("2");
            parent = parent.Fork();
        }

        store.Flush();
        parent.Say("relaxed", AppendFlags.Relaxed);
        long last = parent.GetStat().LastSeq;
        dies = true;
        Assert.ThrowsAny<Exception>(() => parent.Fork());
        foreach (StoreFlags flags in (StoreFlags[])[StoreFlags.ReadOnly, StoreFlags.None, StoreFlags.ReadOnly])
        {
            using SessionStore reader = Stores.Open(_disk.OpenAs(), options: new SessionStoreOptions { Flags = flags });
            JsonElement newest = reader.List()[0];
            Assert.Equal(parent.Id, newest.GetProperty("parent_id").GetString());
            Session branch = reader.OpenSession(newest.GetProperty("id").GetString()!);
            JsonElement page = branch.Events();
            Assert.Equal(last, page.GetProperty("events").GetArrayLength());
            Assert.Equal(0, page.GetProperty("skipped").GetArrayLength());
            Assert.All(page.GetProperty("events").EnumerateArray(),
                e => Assert.Equal("user_prompt", e.GetProperty("type").GetString()));
            Assert.EndsWith(".txt", branch.GetFilePath(file), StringComparison.Ordinal);
            reader.AssertSound();
        }
    }
}
