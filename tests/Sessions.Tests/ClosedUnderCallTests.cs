using System.Buffers;
using Sessions.Platform;
using Sessions.Tests.Support;

namespace Sessions.Tests;

/// <summary>A thread closes the store while another one is in a call.</summary>
public sealed class ClosedUnderCallTests
{
    [Fact]
    public void A_file_that_is_put_while_the_store_closes_is_told_so_and_not_of_a_bad_descriptor()
    {
        string folder = Directory.CreateTempSubdirectory("sessions-closed-").FullName;
        try
        {
            SessionStore? store = null;
            StoreEnvironment environment = new()
            {
                Disk = RealDisk.Open(Path.Combine(folder, "store")),
                OwnsDisk = true,
                RunsInBackground = false,
                AtStep = step =>
                {
                    if (step == Step.FileStaged)
                    {
                        store!.Close();
                    }
                },
            };
            store = SessionStore.Open(environment, new SessionStoreOptions());
            Session session = store.Create();
            Stores.Fails(SessionStatus.Closed,
                () => session.PutFile("a.txt", "text"u8, new ArrayBufferWriter<byte>()));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
