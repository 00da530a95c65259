using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Sessions.Tests.Hostile;

/// <summary>A call that the host made.</summary>
internal sealed record HostStep(string Phase, string Name, string Role, string Status, long WallUs, long CpuUs,
    string Details);

/// <summary>A process of its own, without rights, that works with a store through the built library
/// (tests/hostile). It never outlives this object.</summary>
internal sealed class HostileHost : IDisposable
{
    /// <summary>The host ends by itself long before, naming the call that does not return.</summary>
    private static readonly TimeSpan s_guard = TimeSpan.FromSeconds(180);

    private readonly Process _process;
    private readonly BlockingCollection<string?> _lines = [];
    private readonly Task _reading;
    private readonly Task<string> _errors;
    private bool _isOver;

    public HostileHost(params string[] arguments)
        : this(HostileLibrary.Program, arguments)
    {
    }

    public HostileHost(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment["HOSTILE_TRACED"] = program == HostileLibrary.Program ? null : "yes";
        _process = Process.Start(start)!;
        _process.StandardInput.AutoFlush = true;
        _reading = Task.Factory.StartNew(Read, TaskCreationOptions.LongRunning);
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public List<HostStep> Steps { get; } = [];

    /// <summary>The last event that was saved in a phase, by phase and role.</summary>
    public Dictionary<(string Phase, string Role), long> Saved { get; } = [];

    /// <summary>The last event that could be read when it was last looked at, by phase and role.</summary>
    public Dictionary<(string Phase, string Role), long> Last { get; } = [];

    /// <summary>What is wrong whatever any call answered.</summary>
    public List<string> Faults { get; } = [];

    public long MemoryKib { get; private set; }

    /// <summary>Has it begin its next phase and reads until that is over; false where the host is.</summary>
    public bool Phase()
    {
        Go();
        return ReadUntil("end");
    }

    /// <summary>Has it begin its next phase and reads until it waits in the middle of it.</summary>
    public bool PhaseUntilWait()
    {
        bool isThere = ReadUntil("waits"); // for this phase
        Go();
        return isThere && ReadUntil("waits");
    }

    /// <summary>Lets it go on, without waiting.</summary>
    public void Go()
    {
        try
        {
            _process.StandardInput.WriteLine();
        }
        catch (IOException e)
        {
            Faults.Add($"the host hears nothing: {e.Message}"); // what it ended with is told by End
        }
    }

    /// <summary>Reads until a line begins so; false where the host ended before.</summary>
    public bool ReadUntil(string first)
    {
        while (Next() is { } line)
        {
            string[] fields = line.Split('\t');
            Take(fields);
            if (fields[0] == first)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Closes its input and waits for its end; what it said last.</summary>
    public int End()
    {
        _process.StandardInput.Close();
        ReadUntil("");
        Assert.True(_process.WaitForExit(s_guard), "The host does not end.");
        if (_process.ExitCode != 0)
        {
            string ending = Ending(_process.ExitCode);
            Faults.Add($"the host ended with {ending} after {Steps.LastOrDefault()} {_errors.Result}");
        }

        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _reading.Wait(s_guard);
        _process.Dispose();
        _lines.Dispose();
    }

    private static string Ending(int code) => code > 128
        ? string.Create(CultureInfo.InvariantCulture, $"signal {code - 128}")
        : string.Create(CultureInfo.InvariantCulture, $"exit code {code}");

    private string? Next()
    {
        if (_isOver)
        {
            return null;
        }

        Assert.True(_lines.TryTake(out string? line, s_guard), $"The host says nothing after {Steps.LastOrDefault()}.");
        _isOver = line is null;
        return line;
    }

    private void Take(string[] fields)
    {
        switch (fields[0])
        {
            case "step":
                Steps.Add(new HostStep(fields[1], fields[2], fields[3], fields[4],
                    long.Parse(fields[5], CultureInfo.InvariantCulture),
                    long.Parse(fields[6], CultureInfo.InvariantCulture), fields[7]));
                break;
            case "hung":
                Faults.Add($"{fields[1]} {fields[2]} of {fields[3]} does not return, after {fields[4]} us of CPU time");
                break;
            case "fault":
                Faults.Add($"{fields[1]} of {fields[2]}: {fields[3]}");
                break;
            case "saved":
                Last.Remove((fields[1], fields[2])); // what was read before says nothing of it
                Saved[(fields[1], fields[2])] = long.Parse(fields[3], CultureInfo.InvariantCulture);
                break;
            case "last":
                Last[(fields[1], fields[2])] = long.Parse(fields[3], CultureInfo.InvariantCulture);
                break;
            case "end":
                MemoryKib = long.Parse(fields[2], CultureInfo.InvariantCulture);
                break;
            default:
                break;
        }
    }

    private void Read()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            _lines.Add(line);
        }

        _lines.Add(null);
    }
}
