using System.Runtime.InteropServices;
using Sessions.Platform;

namespace Sessions.Storage.Commit;

/// <summary>Requests that share one lock, one write and one sync, and the word their callers wait on.</summary>
internal sealed unsafe class Batch
{
    public const int RequestsMax = 64;
    public const long BytesMax = 1 << 20;

    /// <summary>Requests gather; somebody leads or will.</summary>
    public const int Gathering = 0;

    /// <summary>One of the waiting callers must lead.</summary>
    public const int WantsLeader = 1;

    /// <summary>A waiting caller has taken the lead.</summary>
    public const int Led = 2;

    /// <summary>All requests have their outcome.</summary>
    public const int Done = 3;

    private readonly int* _word = (int*)NativeMemory.AllocZeroed(64);
    private int _references = 1;
    private int _waiting;

    /// <summary>How many requests have joined; for whoever waits for more.</summary>
    public int Count;

    public List<CommitRequest> Requests { get; } = new(4);

    public long Bytes { get; set; }

    /// <summary>True once a leader has taken it: nobody can withdraw any more.</summary>
    public bool Taken { get; set; }

    public bool HasRoom(CommitRequest request) => Requests.Count == 0 || (Requests.Count < RequestsMax
        && Bytes + request.SizeHint <= BytesMax && !request.IsAlone && !Requests[0].IsAlone);

    public void Enter() => Interlocked.Increment(ref _references);

    /// <summary>The last one to leave frees the word; nobody may touch it after leaving.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            NativeMemory.Free(_word);
        }
    }

    /// <summary>Waits for the outcome or the lead. True: this caller leads. Null: time ran out.</summary>
    public bool? Wait(long timeoutMs, TimeProvider time)
    {
        long start = time.GetTimestamp();
        Interlocked.Increment(ref _waiting);
        try
        {
            while (true)
            {
                int state = Volatile.Read(ref *_word);
                if (state == Done)
                {
                    return false;
                }

                if (state == WantsLeader)
                {
                    if (TryTakeLead())
                    {
                        return true;
                    }

                    continue;
                }

                long left = timeoutMs - (long)time.GetElapsedTime(start).TotalMilliseconds;
                if (left <= 0)
                {
                    return null;
                }

                Futex.Wait(_word, state, (int)Math.Min(left, 1000));
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Offer() => Change(WantsLeader, 1);

    /// <summary>True where the lead was on offer and is now the caller's.</summary>
    public bool TryTakeLead() => Interlocked.CompareExchange(ref *_word, Led, WantsLeader) == WantsLeader;

    public void Complete() => Change(Done, int.MaxValue);

    private void Change(int state, int wake)
    {
        Volatile.Write(ref *_word, state);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _waiting) > 0)
        {
            Futex.Wake(_word, wake);
        }
    }
}
