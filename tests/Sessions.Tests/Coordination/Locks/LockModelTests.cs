using FsCheck;
using FsCheck.Fluent;
using Sessions.Coordination.Locks;
using Sessions.Images;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Coordination.Locks;

/// <summary>
/// Random sequences of what handles do with a lock, held against a model of a few lines: of the decisions alone,
/// with requests and deadlines, and of real stores, with killed ones. What fails is shrunk and printed.
/// </summary>
public sealed class LockModelTests
{
    [Fact]
    public void The_decisions_are_those_of_the_model()
        => Check(400, Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), Decide));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stores_do_what_the_model_says(bool isStrict)
        => Check(60, Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ops => Play(ops, isStrict)));

    private static void Check(int tests, Property property)
        => property.Check(Config.QuickThrowOnFailure.WithMaxTest(tests).WithEndSize(160));

    // Four actors, each an open store of its own that may die; a clock that ticks.
    private static void Decide(byte[] ops)
    {
        LockState state = LockState.Free;
        var dead = new HashSet<int>();
        int? holder = null;
        string status = LockHolder.Idle;
        string? reserved = null;
        var asks = new Dictionary<string, (int Actor, long Deadline)>();
        long now = 1000, epoch = 0;
        foreach (byte op in ops)
        {
            now++;
            int actor = op & 3;
            foreach (string over in asks.Where(a => a.Value.Deadline <= now || dead.Contains(a.Value.Actor))
                .Select(a => a.Key).ToArray())
            {
                asks.Remove(over);
                reserved = reserved == over ? null : reserved;
            }

            state = state.Tidy(now, name => !dead.Contains(name[0] - 'a'));
            bool isDead = holder is { } h && dead.Contains(h);
            string? own = asks.FirstOrDefault(a => a.Value.Actor == actor).Key;
            switch ((op >> 2) & 7)
            {
                case 0 or 1 or 2:
                    LockMode mode = (LockMode)(((op >> 2) & 7) switch { 0 => 0, 1 => 2, _ => 3 });
                    LockVerdict expected =
                        holder is null ? reserved is null || reserved == own ? LockVerdict.Free : LockVerdict.Reserved
                        : isDead || mode == LockMode.Interrupt ? LockVerdict.Free
                        : mode == LockMode.Try ? LockVerdict.Held
                        : status switch
                        {
                            LockHolder.Idle => LockVerdict.Free,
                            LockHolder.Processing => LockVerdict.Processing,
                            _ => LockVerdict.WaitingPermission,
                        };
                    Assert.Equal(expected, state.Judge(mode, isDead ? HolderLife.Dead : HolderLife.Alive, own));
                    if (expected == LockVerdict.Free)
                    {
                        dead.Remove(actor);
                        (holder, status, reserved) = (actor, LockHolder.Idle, null);
                        state = state.Acquire(Holder(actor, now), epoch = now, own);
                        asks.Remove(own ?? "");
                    }

                    break;
                case 3 when holder is not null:
                    holder = null;
                    state = state.Release();
                    break;
                case 4 when holder is not null:
                    status = (op >> 5) switch
                    {
                        0 or 1 or 2 => LockHolder.Idle,
                        3 or 4 or 5 => LockHolder.Processing,
                        _ => LockHolder.WaitingForPermission,
                    };
                    state = state.SetActivity(status, null, now);
                    break;
                case 5 when own is null:
                    dead.Remove(actor);
                    asks.Add($"lr_{now}", (actor, now + 8));
                    state = state.Ask(new LockAsk
                    {
                        RequestId = $"lr_{now}",
                        Pid = actor,
                        ClientType = "c",
                        InstanceId = Name(actor),
                        At = now,
                        Deadline = now + 8,
                    });
                    break;
                case 6 when own is not null:
                    if (op >= 128 && holder is not null)
                    {
                        (holder, reserved) = (null, own);
                        state = state.Accept(own);
                    }
                    else
                    {
                        asks.Remove(own);
                        reserved = reserved == own ? null : reserved;
                        state = state.Withdraw(own);
                    }

                    break;
                case 7 when op >= 160:
                    dead.Add(actor);
                    break;
                default:
                    break;
            }

            state = LockCodec.Read(LockCodec.Write(state, "s")); // as a neighbour would read it
            Assert.Equal(holder is { } who ? Name(who) : null, state.Holder?.InstanceId);
            Assert.Equal(holder is null ? null : status, state.Holder?.Status);
            Assert.Equal(reserved, state.ReservedFor);
            Assert.Equal(asks.Keys.Order(), state.Asks.Select(a => a.RequestId).Order());
            Assert.True(holder is null || state.Epoch == epoch);
            Assert.True(holder is null || reserved is null);
        }
    }

    private static string Name(int actor) => ((char)('a' + actor)).ToString();

    private static LockHolder Holder(int actor, long now) => new()
    {
        Pid = actor,
        ProcessStartedAt = 1,
        Hostname = "h",
        InstanceId = Name(actor),
        ClientType = "c",
        StartedAt = now,
        HeartbeatAt = now,
        LastActivityAt = now,
    };

    // Four handles: two of the first store, one of each of two others.
    private static void Play(byte[] ops, bool isStrict)
    {
        var disk = new MemoryDisk();
        MemoryDisk[] disks = [disk.OpenAs(), disk.OpenAs(), disk.OpenAs()];
        SessionStore[] stores = [.. disks.Select((d, i) => LockFixture.Open(d, processId: i + 1))];
        stores[0].Configure(null, isStrict ? """{"strict_lock":true}"""u8 : """{"unique_roles":true}"""u8);
        string id = stores[0].Create().Id;
        Session[] handles = [.. StoreOf.Select(s => stores[s].OpenSession(id))];
        int? holder = null;
        string status = LockHolder.Idle;
        var lost = new HashSet<int>();
        List<int> said = [];
        foreach (byte op in ops)
        {
            int who = op & 3, store = StoreOf[who];
            Session handle = handles[who];
            SessionStatus refusal = lost.Contains(who) ? SessionStatus.LockLost : SessionStatus.Locked;
            bool isOthers = holder is not null && holder != who;
            switch ((op >> 2) & 15)
            {
                case 0 or 1 or 2 or 3 or 4:
                    LockMode mode = (LockMode)(((op >> 2) & 7) switch { 0 or 1 => 0, 2 or 3 => 2, _ => 3 });
                    SessionStatus answer = !isOthers || mode == LockMode.Interrupt ? SessionStatus.Ok
                        : mode == LockMode.Try ? SessionStatus.Locked
                        : status == LockHolder.Idle ? SessionStatus.Ok
                        : status == LockHolder.Processing ? SessionStatus.Processing : SessionStatus.WaitingPermission;
                    Assert.Equal(answer, Try(() => handle.Lock(mode)));
                    if (answer == SessionStatus.Ok && holder != who)
                    {
                        lost.Remove(who);
                        lost.UnionWith(holder is { } former ? [former] : []);
                        (holder, status) = (who, LockHolder.Idle);
                    }

                    break;
                case 5 or 6:
                    Assert.Equal(lost.Contains(who) ? SessionStatus.LockLost : SessionStatus.Ok, Try(handle.Unlock));
                    holder = holder == who ? null : holder;
                    lost.Remove(who);
                    break;
                case 7:
                    string next = (op >> 6) switch
                    {
                        0 => LockHolder.Idle,
                        1 => LockHolder.WaitingForPermission,
                        _ => LockHolder.Processing,
                    };
                    bool isMine = holder == who;
                    Assert.Equal(isMine ? SessionStatus.Ok : isOthers || lost.Contains(who) ? refusal
                        : SessionStatus.InvalidTransition, Try(() => handle.SetActivity(next)));
                    status = isMine ? next : status;
                    break;
                case 8 or 9 or 10:
                    bool mayWrite = !lost.Contains(who) && (holder == who || (holder is null && !isStrict));
                    byte[] text = Stores.Utf8($"{said.Count}");
                    Assert.Equal(mayWrite ? SessionStatus.Ok : refusal, Try(() => handle.Append("note", text)));
                    said.AddRange(mayWrite ? [said.Count] : []);
                    break;
                case 11:
                    handle.Dispose();
                    handles[who] = stores[store].OpenSession(id);
                    holder = holder == who ? null : holder;
                    lost.Remove(who);
                    break;
                case 12 when store > 0:
                    disks[store].Kill();
                    disks[store] = disk.OpenAs();
                    stores[store] = LockFixture.Open(disks[store], processId: store + 1);
                    handles[who] = stores[store].OpenSession(id);
                    holder = holder == who ? null : holder;
                    lost.Remove(who);
                    break;
                case 13:
                    stores[store].Engine.Locks.Sweep(stores[store].Engine.Commit);
                    break;
                case 14:
                    stores[store].Engine.Commit(new HeartbeatRequest(stores[store].Engine.Locks) { Full = false });
                    break;
                default:
                    stores[store].Engine.Checkpointer.TryRun();
                    break;
            }

            for (int i = 0; i < handles.Length; i++)
            {
                System.Text.Json.JsonElement seen = handles[i].Lock();
                Assert.Equal((holder is not null, holder == i), (seen.Flag("is_locked"), seen.Flag("is_mine")));
                Assert.Equal(holder is not null, handles[i].GetStat().Flags.HasFlag(StatFlags.Locked));
                if (holder is { } h)
                {
                    Assert.Equal(StoreOf[h] + 1, handles[i].HolderPid());
                    Assert.Equal(status, seen.GetProperty("holder").GetProperty("status").GetString());
                }
            }

            for (int i = 0; i < stores.Length; i++)
            {
                Assert.Equal(holder is { } h && StoreOf[h] == i ? 1 : 0, stores[i].ActiveLockCount);
            }
        }

        Assert.Equal(said, handles[3].Events().GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("data").GetInt32()));
        stores[0].AssertSound();
        Array.ForEach(stores, s => s.Close());
    }

    private static readonly int[] StoreOf = [0, 0, 1, 2];

    private static SessionStatus Try(Action action)
    {
        try
        {
            action();
            return SessionStatus.Ok;
        }
        catch (SessionException e)
        {
            return e.Status;
        }
    }
}
