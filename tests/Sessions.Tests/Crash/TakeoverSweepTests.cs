using Sessions.Platform;
using Sessions.Tests.Coordination.Queueing;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Crash;

/// <summary>
/// One of two processes is killed at every change it makes; the other one, which has the store open all
/// the time, goes on. It finds the call that was under way whole or absent, and everything before it.
/// </summary>
public sealed class TakeoverSweepTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_killed_neighbour_leaves_its_last_call_whole_or_absent(int seed)
    {
        for (int kill = 1; ; kill++)
        {
            try
            {
                if (!KillOnce(seed, kill))
                {
                    return;
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"seed {seed}, kill {kill}: {e.Message}", e);
            }
        }
    }

    private static bool KillOnce(int seed, int kill)
    {
        var disk = new FaultyDisk(seed);
        var time = new ManualTime();
        FaultyDisk first = disk.OpenAs();
        SessionStore survivor = Open(disk.OpenAs(), time, 2);
        SessionStore victim = Open(first, time, 1);
        using Session shared = survivor.Create(null, new SessionCreateOptions { Title = "shared" });
        shared.Say("before");
        first.KillAt = first.OwnChanges + kill;

        string before = "", after = "";
        bool killed = false;
        foreach (Action<SessionStore> call in Calls(shared.Id, seed))
        {
            before = Workload.Write(survivor);
            try
            {
                call(victim);
            }
            catch (Exception e) when (IsCut(e))
            {
                killed = true;
                break;
            }

            // The survivor sees at once what the victim was told is done.
            Assert.Equal(Workload.Write(victim), Workload.Write(survivor));
        }

        if (!killed)
        {
            return false;
        }

        disk.RestorePages();
        Assert.Null(disk.Violation);
        string seen = Workload.Write(survivor);
        survivor.Configure(null, Stores.Utf8("{\"strict_lock\":false}")); // takes over
        after = Workload.Write(survivor);
        Assert.True(seen == before || seen == after, "seen before the takeover is neither");
        // What the victim was writing comes before what comes after it.
        long last = shared.Info().GetProperty("last_seq").GetInt64() + shared.Streams().Count;
        Assert.Equal(last + 1, shared.Say("after"));
        Assert.Empty(shared.Streams());
        Assert.Equal(last + 1, shared.Events().GetProperty("events").GetArrayLength());
        survivor.AssertSound();
        using (SessionStore third = Open(disk.OpenAs(), time, 3))
        {
            Assert.Equal(Workload.Write(survivor), Workload.Write(third));
            third.Create();
            Assert.Equal(Workload.Write(survivor), Workload.Write(third));
        }

        string end = Workload.Write(survivor);
        survivor.Close();
        Assert.Null(disk.Violation);
        using SessionStore again = Open(disk.OpenAs(), time, 4);
        Assert.Equal(end, Workload.Write(again));
        again.AssertSound();
        return true;
    }

    private static IEnumerable<Action<SessionStore>> Calls(string id, int seed)
    {
        yield return s => Use(s, id, session => session.Say("one"));
        yield return s => Use(s, id, session => session.UpdateTitle("two"));
        yield return s => Use(s, id, session => session.Say("three", AppendFlags.Relaxed));
        yield return s => s.Create(id).Dispose();
        SessionStream? stream = null;
        yield return s => Use(s, id, session => stream = session.BeginStream("agent_message"));
        yield return _ => stream!.Write("one "u8);
        if (seed % 2 == 0)
        {
            yield return s => Assert.True(s.Engine.Checkpointer.TryRun());
        }

        yield return s => Use(s, id, session => session.Say(new string('x', 9000)));
        yield return _ => stream!.Write(Stores.Utf8(new string('y', 9000)));
        yield return _ => stream!.End();
        yield return s => Use(s, id, session => stream = session.BeginStream("agent_thought"));
        yield return _ => stream!.Write("left"u8);
        yield return s => Use(s, id, session => session.SetButtons("""[{"label":"on"}]"""u8));
        string entry = "";
        yield return s => Use(s, id, session => entry = session.Add("""{"message":"queued"}""").Id());
        yield return s => Use(s, id, session => session.Claim("t-q"));
        yield return s => Use(s, id, session => session.SettleQueued(entry, QueueOutcome.Sent));
        string child = "";
        yield return s => child = s.Create(id, new SessionCreateOptions { Title = "child" }).Id;
        yield return s => Use(s, child, session => session.Delete());
        yield return s => s.Purge(long.MaxValue >> 11);
        yield return s => Use(s, id, session => session.Append("tool_call", "{\"tool_call_id\":\"c\"}"u8,
            new AppendOptions { TurnId = "t" }));
        yield return s => Use(s, id, session => session.Abort("enough", AbortFlags.Tree));
        yield return s => Use(s, id, session => session.ClearAbort());
        yield return s => s.Flush();
        yield return s => Assert.True(s.Engine.Checkpointer.TryRun());
    }

    private static void Use(SessionStore store, string id, Action<Session> action)
    {
        using Session session = store.OpenSession(id);
        action(session);
    }

    private static SessionStore Open(IDisk disk, TimeProvider time, int processId)
        => Stores.Open(disk, time, processId: processId);

    private static bool IsCut(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is PowerCutException)
            {
                return true;
            }
        }

        return false;
    }
}
