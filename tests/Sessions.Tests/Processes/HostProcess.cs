using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Sessions.Platform;

namespace Sessions.Tests.Processes;

/// <summary>What a host said of one order: the order itself, and its outcome once it has one.</summary>
internal sealed record Spoken(string[] Order)
{
    /// <summary>What it answered; null while it is not known to be done.</summary>
    public string? Answer { get; set; }

    /// <summary>What it failed with; null where it did not.</summary>
    public string? Failure { get; set; }

    public string? Message { get; set; }

    public bool IsInDoubt => Answer is null && Failure is null;
}

/// <summary>
/// A process of its own with a store open (Sessions.CrashHost). All that it acknowledges is written
/// into a ledger. It never outlives this object.
/// </summary>
internal sealed partial class HostProcess : IDisposable
{
    /// <summary>Nothing takes so long; it only keeps a hanging test from hanging for ever.</summary>
    public static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);

    private const int SigKill = 9;
    private const int SigContinue = 18;
    private const int SigStop = 19;

    private readonly Process _process;
    private readonly BlockingCollection<Spoken?> _ends = [];
    private readonly Dictionary<string, Spoken> _byNumber = [];
    private readonly List<Spoken> _said = [];
    private readonly Task _reading;

    public HostProcess(string folder)
    {
        var start = new ProcessStartInfo(Executable(), [folder])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // a killed runtime would leave its sockets behind
        start.Environment["DOTNET_TieredPGO"] = "0";
        _process = Process.Start(start)!;
        _process.StandardInput.AutoFlush = true;
        _reading = Task.Factory.StartNew(Read, TaskCreationOptions.LongRunning);
    }

    /// <summary>All that it said, in its order. To be looked at once the host has ended or is still.</summary>
    public IReadOnlyList<Spoken> Said
    {
        get
        {
            lock (_said)
            {
                return [.. _said];
            }
        }
    }

    /// <summary>A host with the store open.</summary>
    public static HostProcess Open(string folder, int busyMs = 60_000, bool quiet = false)
    {
        var host = new HostProcess(folder);
        host.Ask("open", Text(busyMs), quiet ? "quiet" : "busy");
        return host;
    }

    /// <summary>Sends an order, without waiting for it.</summary>
    public void Tell(params string[] order) => _process.StandardInput.WriteLine(string.Join('\t', order));

    /// <summary>The next outcome of what it was told.</summary>
    public Spoken Outcome()
    {
        Assert.True(_ends.TryTake(out Spoken? spoken, Guard), "The host says nothing.");
        return spoken ?? throw new InvalidOperationException($"The host ended: {ExitCode}.");
    }

    /// <summary>Does one order that must go well; its answer.</summary>
    public string Ask(params string[] order)
    {
        Tell(order);
        Spoken spoken = Outcome();
        Assert.True(spoken.Answer is not null, $"{string.Join(' ', order)}: {spoken.Failure} {spoken.Message}");
        return spoken.Answer!;
    }

    /// <summary>Does one order that must fail.</summary>
    public void Fails(SessionStatus status, params string[] order) => Fails([status], order);

    /// <summary>Does one order that must fail with one of these.</summary>
    public void Fails(SessionStatus[] statuses, params string[] order)
    {
        Tell(order);
        Spoken spoken = Outcome();
        Assert.True(Array.Exists(statuses, s => spoken.Failure == s.ToString()),
            $"{string.Join(' ', order)}: {spoken.Failure} {spoken.Answer}");
    }

    /// <summary>Arms the trap: "kill" or "stop" at the n-th coming by of a step.</summary>
    public void Arm(string what, Step step, int n = 1)
        => Ask("arm", what, step.ToString(), Text(n));

    /// <summary>Has it work on a seeded stream of orders (for ever with -1), on sessions of its own
    /// and on the shared ones. Outcomes of a work's orders are in <see cref="Said"/>.</summary>
    public void Work(int seed, int count, string mix, params string[] shared)
        => Tell(["work", Text(seed), Text(count), mix, .. shared]);

    /// <summary>Reads outcomes until the work is over.</summary>
    public void AwaitWork()
    {
        while (Outcome().Order[0] != "end")
        {
        }
    }

    /// <summary>The next outcome, or that the host has ended.</summary>
    public void AwaitOutcomeOrEnd() => Assert.True(_ends.TryTake(out _, Guard), "The host says nothing.");

    /// <summary>Reads the outcomes that are there; how many.</summary>
    public int ReadOutcomes()
    {
        int count = 0;
        while (_ends.TryTake(out Spoken? spoken))
        {
            Assert.True(spoken is not null, $"The host ended: {ExitCode}.");
            count++;
        }

        return count;
    }

    /// <summary>Reads so many outcomes.</summary>
    public void AwaitOutcomes(int count)
    {
        for (; count > 0; count--)
        {
            Outcome();
        }
    }

    /// <summary>Waits until its trap has killed it.</summary>
    public void AwaitKilled()
    {
        Assert.True(_process.WaitForExit(Guard), "The host was not killed.");
        Assert.True(ExitCode == 128 + SigKill, $"The host was not killed but ended: {ExitCode}.");
        Assert.True(_reading.Wait(Guard));
    }

    /// <summary>Waits until it is stopped, by its trap or by <see cref="Stop"/>.</summary>
    public void AwaitStopped()
        => Assert.True(SpinWait.SpinUntil(() => State() == 'T' || _process.HasExited, Guard) && !_process.HasExited,
            "The host did not stop.");

    public void Stop()
    {
        Send(SigStop);
        AwaitStopped();
    }

    public void Continue() => Send(SigContinue);

    /// <summary>SIGKILL, at whatever it is doing.</summary>
    public void Kill()
    {
        Send(SigKill);
        AwaitKilled();
    }

    /// <summary>Ends it in order: its store is closed.</summary>
    public void End()
    {
        _process.StandardInput.Close();
        Assert.True(_process.WaitForExit(Guard), "The host does not end.");
        Assert.True(_reading.Wait(Guard));
        Assert.Equal(0, ExitCode);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _reading.Wait(Guard);
        _process.Dispose();
        _ends.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private int ExitCode => _process.HasExited ? _process.ExitCode : -1;

    private static string Executable()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory); // tests/Sessions.Tests/bin/Debug/net10.0
        string configuration = output.Parent!.Name;
        return Path.Combine(output.Parent.Parent!.Parent!.Parent!.FullName, "Sessions.CrashHost", "bin", configuration,
            output.Name, "Sessions.CrashHost");
    }

    private void Read()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            string[] fields = line.Split('\t');
            Spoken spoken;
            switch (fields[0])
            {
                case "try":
                    spoken = new Spoken(fields[2..]);
                    _byNumber[fields[1]] = spoken;
                    lock (_said)
                    {
                        _said.Add(spoken);
                    }

                    continue;
                case "ok":
                    spoken = _byNumber[fields[1]];
                    spoken.Answer = fields[2];
                    break;
                case "no":
                    spoken = _byNumber[fields[1]];
                    spoken.Message = fields[3];
                    spoken.Failure = fields[2];
                    break;
                default:
                    spoken = new Spoken(["end"]) { Answer = "" };
                    break;
            }

            _ends.Add(spoken);
        }

        _ends.Add(null);
    }

    /// <summary>Bytes of memory that it uses now.</summary>
    public long MemoryBytes()
    {
        string line = File.ReadLines($"/proc/{_process.Id}/status")
            .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        string kilobytes = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
    }

    // The state letter stands behind the name, which is in brackets and may hold anything.
    private char State()
    {
        string stat = File.ReadAllText($"/proc/{_process.Id}/stat");
        return stat[stat.LastIndexOf(')') + 2];
    }

    private void Send(int signal)
    {
        if (!_process.HasExited)
        {
            Assert.Equal(0, SendSignal(_process.Id, signal));
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
