using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Sessions.Platform.Unix;

namespace Sessions.Platform;

/// <summary>What tells this start of the machine and one process from another.</summary>
internal static class Machine
{
    private const long TicksASecond = 100; // USER_HZ, the same wherever Linux runs

    private static readonly Lazy<ulong> Boot = new(ReadBootId);
    private static readonly Lazy<long> Started = new(ReadStarted);
    private static readonly Lazy<long> Namespace = new(ReadPidNamespace);

    /// <summary>Another number after each start of the machine; 0 where the system has none.</summary>
    public static ulong BootId => Boot.Value;

    /// <summary>The number of the pid namespace that this process is in; 0 where there is none or no way to
    /// ask.</summary>
    public static long PidNamespace => Namespace.Value;

    /// <summary>When a process started, in clock ticks since the machine did; 0 where there is no
    /// such process or no way to ask. With the process id it names one process for good.</summary>
    public static long ProcessStartedAt(int processId)
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        try
        {
            string line = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));

            // The command's name stands in parentheses and may hold anything, so count from its end:
            // the state is field 3, the start time field 22.
            string[] fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The same as a time in unix ms, as far as the clock was not set since; null where the system does
    /// not say.</summary>
    public static long? ProcessStartedAtMs(long processId)
    {
        if (!OperatingSystem.IsLinux() || processId is < 1 or > int.MaxValue || Started.Value == 0)
        {
            return null;
        }

        long ticks = ProcessStartedAt((int)processId);
        return ticks == 0 ? 0 : Started.Value + (ticks * 1000 / TicksASecond);
    }

    private static long ReadPidNamespace()
    {
        try
        {
            // "pid:[4026531836]"
            string? target = OperatingSystem.IsLinux() ? new FileInfo("/proc/self/ns/pid").LinkTarget : null;
            return target is not null && long.TryParse(target.AsSpan(target.IndexOf('[') + 1).TrimEnd(']'),
                NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogRing.Add("debug", $"The pid namespace is not known: {e.Message}");
            return 0;
        }
    }

    private static long ReadStarted()
    {
        try
        {
            foreach (string line in OperatingSystem.IsLinux() ? File.ReadLines("/proc/stat") : [])
            {
                if (line.StartsWith("btime ", StringComparison.Ordinal))
                {
                    return long.Parse(line.AsSpan(6), CultureInfo.InvariantCulture) * 1000;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            LogRing.Add("debug", $"When the machine started is not known: {e.Message}");
        }

        return 0;
    }

    private static ulong ReadBootId()
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                return Fold(File.ReadAllText("/proc/sys/kernel/random/boot_id"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return 0;
            }
        }

        return OperatingSystem.IsMacOS() ? Fold(Darwin.SystemText("kern.bootsessionuuid")) : 0;
    }

    private static ulong Fold(string text)
    {
        if (!Guid.TryParse(text.AsSpan().Trim(), out Guid id))
        {
            return 0;
        }

        Span<byte> bytes = stackalloc byte[16];
        MemoryMarshal.Write(bytes, in id);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
    }
}
