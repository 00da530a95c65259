using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Calls;

/// <summary>Destroying and closing while other threads are in a call on the same handle.</summary>
public sealed unsafe class DestroyTests
{
    [Fact]
    public void DestroyEndsAWaitWithCancelled()
    {
        using var store = new TestStore();
        foreach (int round in Enumerable.Range(0, 20))
        {
            nint session = (nint)store.Create();
            int ended = round;
            using var waiting = new ManualResetEventSlim();
            var thread = new Thread(() =>
            {
                waiting.Set();
                ended = Methods.session_wait_abort((session_s*)session, Methods.SESSION_WAIT_FOREVER);
            });
            thread.Start();
            waiting.Wait(TestContext.Current.CancellationToken);
            Call.Works(Methods.session_destroy((session_s*)session));
            thread.Join();
            // Which of the two came first is the machine's choice.
            Assert.Contains(ended, (int[])[Methods.SESSION_E_CANCELLED, Methods.SESSION_E_INVALID_HANDLE]);
        }
    }

    [Fact]
    public void CallsThatRaceWithDestroyCompleteOrComeTooLate()
    {
        using var store = new TestStore();
        for (int round = 0; round < 50; round++)
        {
            nint session = (nint)store.Create();
            using var start = new Barrier(5);
            var answers = new int[4];
            Parallel.For(0, 5, new ParallelOptions { MaxDegreeOfParallelism = 5 }, worker =>
            {
                start.SignalAndWait(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
                if (worker == 4)
                {
                    Call.Works(Methods.session_destroy((session_s*)session));
                    return;
                }

                do
                {
                    answers[worker] = Handling.EveryCall.OnSession["session_get_info"](session);
                }
                while (answers[worker] == Methods.SESSION_OK);
            });
            Assert.All(answers, answer => Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, answer));
        }
    }

    [Fact]
    public void OfManyClosesOneWins()
    {
        string folder = Directory.CreateTempSubdirectory("sessions-native-").FullName;
        try
        {
            nint store = (nint)TestStore.Open(folder);
            int closed = 0;
            int refused = 0;
            Parallel.For(0, 4, _ =>
            {
                int status = Methods.session_store_close((session_store_s*)store);
                Interlocked.Increment(ref status == 0 ? ref closed : ref refused);
                Assert.Contains(status, (int[])[Methods.SESSION_OK, Methods.SESSION_E_INVALID_HANDLE]);
            });
            Assert.Equal((1, 3), (closed, refused));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
