using System.Diagnostics;
using System.Globalization;
using Sessions.Tests.Damage.Harm;
using Sessions.Tests.Hostile;

namespace Sessions.Tests.Damage;

/// <summary>Files of an open store are swapped, removed, linked, cut and forbidden between its calls, and everything
/// acknowledged is compared with what is there afterwards. Ten minutes of it in a soak, with seeds of its own; a
/// failing seed is in the message, and HARM_SEED plays it again.</summary>
public sealed class HarmTests : IDisposable
{
    private const int SliceSeconds = 12;
    private const int FirstSeed = 1;
    private const int SliceRounds = 36;
    private const int FailuresMax = 4;

    private const int Detach = 2;

    private readonly string _folder = "";
    private readonly bool _isMounted;

    public HarmTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Threads with users of their own are Linux's.");
        _folder = Directory.CreateTempSubdirectory("sessions-harm-").FullName;
        if (Nobody.User >= 0)
        {
            // In memory where that can be had: each round syncs a thousand times.
            _isMounted = SystemCalls.Mount("none", _folder, "tmpfs", 0, "mode=0700,size=1g") == 0;
            SystemCalls.Own(_folder, Nobody.User);
        }
    }

    public void Dispose()
    {
        if (_isMounted)
        {
            Assert.Equal(0, SystemCalls.Unmount(_folder, Detach));
        }

        if (_folder.Length > 0)
        {
            HostileFolder.Remove(_folder);
        }
    }

    [Fact]
    public void Whatever_is_done_to_files_of_an_open_store_nothing_acknowledged_is_lost_in_silence()
    {
        double minutes = Number("SESSIONS_SOAK_MINUTES", 0);
        int seed = minutes > 0 ? Random.Shared.Next() : FirstSeed;
        int last = minutes > 0 ? int.MaxValue : FirstSeed + SliceRounds - 1;
        TimeSpan time = minutes > 0 ? TimeSpan.FromMinutes(Math.Min(10, minutes)) : TimeSpan.FromSeconds(SliceSeconds);
        if (Number("HARM_SEED", 0) is > 0 and var one)
        {
            seed = last = (int)one;
        }

        HarmRound? round = null;
        List<string> failures = [];
        int rounds = 0;
        Nobody.Run(
            () =>
            {
                long start = Stopwatch.GetTimestamp();
                for (; seed <= last && failures.Count < FailuresMax && Stopwatch.GetElapsedTime(start) < time; seed++)
                {
                    string folder = Path.Combine(_folder, seed.ToString(CultureInfo.InvariantCulture));
                    Directory.CreateDirectory(folder);
                    round = new HarmRound(seed, folder);
                    if (round.Play() is { } failure)
                    {
                        failures.Add(failure);
                    }

                    rounds++;
                    HostileFolder.Remove(folder);
                }
            },
            () => round?.Progress ?? default);
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        TestContext.Current.SendDiagnosticMessage($"{rounds} rounds of harm");
        Assert.True(rounds > 0);
    }

    private static double Number(string name, double other)
        => double.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Float, CultureInfo.InvariantCulture,
            out double number) ? number : other;
}
