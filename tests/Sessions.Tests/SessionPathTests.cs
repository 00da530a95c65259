using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests;

/// <summary>The path of a session's folder.</summary>
public sealed class SessionPathTests
{
    private static readonly SessionStoreOptions ReadOnly = new() { Flags = StoreFlags.ReadOnly };
    private static readonly SessionStoreOptions Relaxed = new() { Durability = Durability.Relaxed };

    private readonly MemoryDisk _disk = new();

    [Fact]
    public void The_folder_of_a_session_that_was_just_made_is_there()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs(), options: Relaxed);
        Session session = store.Create();
        Assert.Null(_disk.Stat(Layout.LiveFolder(session.Id)));
        Assert.Equal("/store/" + Layout.LiveFolder(session.Id), session.GetPath());
        Assert.True(_disk.Stat(Layout.LiveFolder(session.Id))!.Value.IsFolder);
    }

    [Fact]
    public void A_reader_is_told_that_there_is_no_folder_yet()
    {
        MemoryDisk killed = _disk.OpenAs();
        SessionStore writer = Stores.Open(killed, options: Relaxed);
        string made = writer.Create().Id;
        writer.Flush();
        string late = writer.Create().Id;
        killed.Kill();
        using SessionStore store = Stores.Open(_disk.OpenAs(), options: ReadOnly);
        Assert.Equal("/store/" + Layout.LiveFolder(made), store.OpenSession(made).GetPath());
        Stores.Fails(SessionStatus.NotFound, () => store.OpenSession(late).GetPath());
    }

    [Fact]
    public void What_stands_in_the_place_of_the_folder_is_not_handed_out()
    {
        using SessionStore store = Stores.Open(_disk.OpenAs());
        Session session = store.Create();
        string folder = Layout.LiveFolder(session.Id);
        _disk.Rename(folder, "elsewhere");
        Stores.Fails(SessionStatus.Corrupt, () => session.GetPath());
        using (IDiskFile file = _disk.Open(folder, OpenMode.CreateNew))
        {
            file.Write("a file"u8, 0);
        }

        Stores.Fails(SessionStatus.Corrupt, () => session.GetPath());
        _disk.Unlink(folder);
        _disk.Rename("elsewhere", folder);
        Assert.EndsWith(session.Id, session.GetPath(), StringComparison.Ordinal);
        session.Delete();
        Stores.Fails(SessionStatus.Deleted, () => session.GetPath());
    }
}
