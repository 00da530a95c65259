using System.Buffers;
using System.Text;
using Sessions.Storage.Files;
using Sessions.Tests.Hostile;
using Sessions.Tests.Support;

namespace Sessions.Tests.Bugs;

/// <summary>
/// One run as root left a segment of the journal that root owned, and even read-only opens were kept out. What root
/// makes in somebody's store belongs to that person, whatever it is.
/// </summary>
public sealed class RunAsRootTests : IDisposable
{
    private const int Somebody = 65534;

    private readonly string _folder = Directory.CreateTempSubdirectory("sessions-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Nothing_in_a_store_belongs_to_root_after_a_run_as_root()
    {
        Assert.SkipUnless(SystemCalls.IsRoot, "Only root is root.");
        SystemCalls.Own(_folder, Somebody);
        string id;
        using (SessionStore store = SessionStore.Open(_folder))
        {
            id = Work(store);
            AssertOwned("while it is open");
        }

        AssertOwned("closed");
        using (SessionStore again = SessionStore.Open(_folder))
        {
            using Session session = again.OpenSession(id);
            session.Say("first commit of an opening");
            AssertOwned("opened again");
        }

        Kill(id);
        AssertOwned("after a kill");
        File.WriteAllText(Path.Combine(_folder, Layout.LiveFolder(id), Layout.SessionFile), "{"); // still somebody's
        using (SessionStore recovered = SessionStore.Open(_folder))
        {
            recovered.Verify();
            AssertOwned("recovered and verified");
        }

        AssertOwned("closed again");
        SessionStore.Salvage(_folder, "{}"u8, new ArrayBufferWriter<byte>());
        AssertOwned("salvaged");
        using SessionStore reader = SessionStore.Open(_folder, new SessionStoreOptions { Flags = StoreFlags.ReadOnly });
        Assert.NotEqual(0, reader.List().GetArrayLength());
    }

    private static string Work(SessionStore store)
    {
        var output = new ArrayBufferWriter<byte>();
        Session session = store.Create(null, new SessionCreateOptions { Title = "one" });
        for (int i = 0; i < 6; i++)
        {
            session.Say(new string('x', 1 << 20)); // more than a segment takes
        }

        session.UpdateTitle("two");
        session.UpdateTitle("three");
        session.PutFile("a.txt", "content"u8, output);
        session.Fork(0).Dispose();
        session.WriteShare(null, output);
        session.AddToQueue("""{"message":"later"}"""u8, output);
        session.SetButtons("""[{"label":"yes"}]"""u8);
        session.Lock(LockMode.Try);
        session.Unlock();
        using SessionStream stream = session.BeginStream("agent_message");
        stream.Write("text"u8);
        Assert.True(store.Engine.Checkpointer.TryRun()); // with streams.json
        stream.End();
        session.Prune("""{"max_events":3}"""u8, output);
        session.Rewind(7);
        Session deleted = store.Create(), purged = store.Create();
        deleted.Delete();
        purged.Delete(DeletePolicy.Cascade | DeletePolicy.NoTrash);
        store.Configure(null, """{"unique_roles":true}"""u8);
        store.Flush();
        return session.Id;
    }

    // What a killed process leaves: frames in the journal, and its scratch files.
    private void Kill(string id)
    {
        string copy = _folder + ".killed";
        using (SessionStore store = SessionStore.Open(_folder))
        {
            using Session session = store.OpenSession(id);
            session.Say("not in order", AppendFlags.Relaxed);
            HostileLibrary.Run("cp", "-a", _folder, copy);
        }

        Directory.Delete(_folder, recursive: true);
        Directory.Move(copy, _folder);
    }

    private void AssertOwned(string when)
    {
        var foreign = new StringBuilder();
        foreach (string path in Directory.EnumerateFileSystemEntries(_folder, "*", SearchOption.AllDirectories))
        {
            if (SystemCalls.Look(path).User != Somebody)
            {
                foreign.AppendLine(path[_folder.Length..]);
            }
        }

        Assert.True(foreign.Length == 0, $"{when}:\n{foreign}");
    }
}
