namespace Sessions.Platform;

/// <summary>Where a store lies when the host names no folder.</summary>
internal static class DataFolder
{
    /// <summary>$SESSIONS_HOME, else "sessions" in the platform's folder for application data.</summary>
    public static string Default() => Default(Environment.GetEnvironmentVariable);

    /// <summary>The same with the environment as a parameter.</summary>
    internal static string Default(Func<string, string?> variable)
    {
        if (variable("SESSIONS_HOME") is { Length: > 0 } chosen)
        {
            return Path.GetFullPath(chosen);
        }

        if (OperatingSystem.IsWindows())
        {
            string local = Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return Path.Combine(local, "sessions");
        }

        if (OperatingSystem.IsMacOS())
        {
            return Path.Combine(Home(variable), "Library", "Application Support", "sessions");
        }

        // The XDG rules say that a relative path is invalid and to be ignored.
        return variable("XDG_DATA_HOME") is { Length: > 0 } data && Path.IsPathFullyQualified(data)
            ? Path.Combine(data, "sessions")
            : Path.Combine(Home(variable), ".local", "share", "sessions");
    }

    private static string Home(Func<string, string?> variable)
    {
        if (variable("HOME") is { Length: > 0 } home && Path.IsPathFullyQualified(home))
        {
            return home;
        }

        string known = Environment.GetFolderPath(
            Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return known.Length > 0 ? known : Path.GetTempPath();
    }
}
