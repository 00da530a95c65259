namespace Sessions.Tests.Hostile;

/// <summary>
/// Runs one case: a process without rights reads the store, writes it, and salvages it. Says what was not as it
/// must be: it ends by itself, each call answers with a status that says what is wrong, in time; nothing outside the
/// store is read or changed; reading changes nothing; and sessions that the harm does not concern can be used.
/// </summary>
internal sealed class CaseRunner(HostileFolder folder)
{
    private const long StepUs = 5_000_000;
    private const long RoomKib = 64 * 1024;

    private static readonly string[] s_bystanders = ["alpha", "beta", "gamma", "delta", "epsilon", "iota"];
    private static readonly string[] s_phases = ["read", "write", "salvage"];
    private static readonly string[] s_unclean =
        ["SESSION_E_INTERNAL", "SESSION_E_NO_MEMORY", "SESSION_E_BUSY", "unknown"];
    private static readonly string[] s_toRead = ["open", "get_info", "read_events", "messages"];
    private static readonly string[] s_toWrite = ["append", "update_title"];

    /// <summary>What went wrong; nothing, as it should be.</summary>
    public List<string> Run(HostileCase one)
    {
        string around = folder.NewFolder();
        try
        {
            return Run(one, around);
        }
        catch (Exception e) when (e is IOException or Xunit.Sdk.XunitException)
        {
            return [e.ToString()];
        }
        finally
        {
            HostileFolder.Remove(around);
        }
    }

    /// <summary>How much memory it needs for a store that is as it was made, KiB.</summary>
    public static long Measure(HostileSeed seed, string around)
    {
        CaseStore store = Copy(seed, around);
        using Outside outside = store.Outside;
        HostileFolder.Give(around);
        using HostileHost host = Start(store);
        Assert.True(host.Phase() && host.Phase() && host.Phase(), string.Join('\n', host.Faults));
        return host.MemoryKib;
    }

    /// <summary>A copy of a seed, several folders deep.</summary>
    public static CaseStore Copy(HostileSeed seed, string around)
    {
        string store = Path.Combine(Directory.CreateDirectory(Path.Combine(around, "1/2/3/4/5/6/7")).FullName, "store");
        HostileLibrary.Run("cp", "-a", "--sparse=always", seed.Folder, store);
        return new CaseStore(seed, store, new Outside(around, store));
    }

    private static List<string> Run(HostileCase one, string around)
    {
        CaseStore store = Copy(one.Seed, around);
        using Outside outside = store.Outside;
        if (!one.IsForeign)
        {
            one.Put(store);
        }

        HostileFolder.Give(around);
        if (one.IsForeign)
        {
            one.Put(store);
        }

        outside.Watch();
        TreeImage before = TreeImage.Of(store.Folder);
        List<string> wrong = [];
        using HostileHost host = Start(store);
        bool isThere = host.Phase();
        wrong.AddRange(before.Differences(TreeImage.Of(store.Folder)).Select(d => $"read: {d}"));
        _ = isThere && host.Phase() && host.Phase();
        host.End();
        wrong.AddRange(outside.Touched());
        wrong.AddRange(host.Faults);
        wrong.AddRange(Judge(host, one.Seed.MemoryKib));
        wrong.AddRange(Bystanders(one, host));
        wrong.AddRange(Lost(host, host));
        if (wrong.Count != 0)
        {
            wrong.AddRange(host.Steps.Where(s => s.Status != "SESSION_OK")
                .Select(s => $"(also {s.Phase} {s.Name} of {s.Role}: {s.Status} {s.Details})"));
        }

        return wrong;
    }

    /// <summary>What is wrong with a host's calls whatever they were.</summary>
    public static IEnumerable<string> Judge(HostileHost host, long memoryKib)
    {
        foreach (HostStep step in host.Steps.Where(s => s_unclean.Contains(s.Status)))
        {
            yield return $"{step.Phase} {step.Name} of {step.Role}: {step.Status} {step.Details}";
        }

        foreach (HostStep step in host.Steps.Where(s => s.CpuUs > StepUs))
        {
            yield return $"{step.Phase} {step.Name} of {step.Role} took {step.CpuUs} us of CPU time";
        }

        if (host.MemoryKib > memoryKib + RoomKib)
        {
            yield return $"it needed {host.MemoryKib} KiB";
        }
    }

    /// <summary>Events of which a writer was told that they are saved, and that are not there for a reader of the
    /// same phase who was told that the session is.</summary>
    public static IEnumerable<string> Lost(HostileHost writer, HostileHost reader)
    {
        foreach (((string phase, string role), long saved) in writer.Saved)
        {
            if (reader.Last.TryGetValue((phase, role), out long last) && last < saved && phase == "write")
            {
                yield return $"{role} had event {saved} saved, and ends with {last}";
            }
        }
    }

    private static HostileHost Start(CaseStore store)
        => new(HostileFolder.UserText, "read", "write", "salvage", store.Folder, store.Seed.List);

    // Where the store opens, sessions that the harm does not concern work as ever. Where the harm is in one session
    // of a store that was closed, the store opens.
    private static IEnumerable<string> Bystanders(HostileCase one, HostileHost host)
    {
        if (one.Concerns is null)
        {
            yield break;
        }

        foreach (string phase in s_phases)
        {
            HostStep[] steps = [.. host.Steps.Where(s => s.Phase == phase)];
            HostStep? open = steps.FirstOrDefault(s => s.Name == "store_open");
            if (open?.Status != "SESSION_OK")
            {
                if (open is not null && one.Seed.Name == "closed")
                {
                    yield return $"{phase}: the store does not open: {open.Status} {open.Details}";
                }

                continue;
            }

            foreach (string role in s_bystanders.Where(r => !one.Concerns.Contains(r)))
            {
                foreach (string name in phase == "read" ? s_toRead : s_toRead.Concat(s_toWrite))
                {
                    HostStep? step = steps.FirstOrDefault(s => s.Name == name && s.Role == role);
                    if (step is not null && step.Status != "SESSION_OK")
                    {
                        yield return $"{phase} {name} of {role}, a bystander: {step.Status} {step.Details}";
                    }
                }
            }
        }
    }
}
