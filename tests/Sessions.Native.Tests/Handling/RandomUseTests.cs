using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Handling;

/// <summary>
/// Threads use, destroy, close and reopen the same handful of handles in a random order. Each call
/// answers what the contract allows for a handle that may just have gone.
/// </summary>
public sealed unsafe class RandomUseTests
{
    private const int Places = 12;
    private const int Threads = 4;
    private const int Steps = 400;

    private static readonly int[] s_allowed =
    [
        Methods.SESSION_OK, Methods.SESSION_E_INVALID_HANDLE, Methods.SESSION_E_CLOSED, Methods.SESSION_E_DELETED,
        Methods.SESSION_E_TIMEOUT, Methods.SESSION_E_CANCELLED, Methods.SESSION_E_NOT_FOUND,
        Methods.SESSION_E_QUEUE_FULL, Methods.SESSION_E_INVALID_TRANSITION,
    ];

    // Long calls, and those that answer about the id or the share that is not there.
    private static readonly string[] s_left =
    [
        "session_store_close", "session_store_backup", "session_store_verify", "session_store_verify_ex",
        "session_delete",
    ];

    [Fact]
    public void NoOrderOfCallsIsTooMuch()
    {
        int seed = Environment.TickCount;
        string folder = Directory.CreateTempSubdirectory("sessions-native-").FullName;
        try
        {
            nint[] stores = [Store(folder), Store(folder)];
            nint[] sessions = new nint[Places];
            var calls = EveryCall.OnSession.Concat(EveryCall.OnStore).Where(call => !s_left.Contains(call.Key))
                .ToArray();
            Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, worker =>
            {
                var random = new Random(seed + worker);
                for (int step = 0; step < Steps; step++)
                {
                    Step(random, folder, stores, sessions, calls, seed);
                }
            });
            Array.ForEach(sessions, session => Methods.session_destroy((session_s*)session));
            Array.ForEach(stores, store => Call.Works(Methods.session_store_close((session_store_s*)store)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Step(Random random, string folder, nint[] stores, nint[] sessions,
        KeyValuePair<string, Func<nint, int>>[] calls, int seed)
    {
        ref nint place = ref sessions[random.Next(Places)];
        ref nint store = ref stores[random.Next(stores.Length)];
        switch (random.Next(100))
        {
            case < 25:
                session_s* made;
                int created = Methods.session_create((session_store_s*)Volatile.Read(ref store), null, null, &made);
                Allow("session_create", created, seed);
                Methods.session_destroy((session_s*)Interlocked.Exchange(ref place, (nint)made));
                break;
            case < 40:
                Allow("session_destroy", Methods.session_destroy((session_s*)Volatile.Read(ref place)), seed);
                break;
            case < 42:
                nint old = Interlocked.Exchange(ref store, Store(folder));
                Allow("session_store_close", Methods.session_store_close((session_store_s*)old), seed);
                break;
            default:
                (string name, Func<nint, int> call) = calls[random.Next(calls.Length)];
                bool onStore = EveryCall.OnStore.ContainsKey(name);
                Allow(name, call(Volatile.Read(ref onStore ? ref store : ref place)), seed);
                break;
        }
    }

    private static nint Store(string folder) => (nint)TestStore.Open(folder);

    private static void Allow(string name, int status, int seed) => Assert.True(s_allowed.Contains(status),
        $"{name} answered {Call.Name(status)} ({Call.LastError().Message}) with seed {seed}");
}
