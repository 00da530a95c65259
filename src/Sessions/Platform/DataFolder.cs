namespace Sessions.Platform;

/// <summary>Where a store lies when the host names no folder.</summary>
internal static class DataFolder
{
    /// <summary>$SESSIONS_HOME, else "sessions" in the platform's folder for application data. Always a full
    /// path, or InvalidArgument where the environment and the system name none.</summary>
    public static string Default() => Default(Environment.GetEnvironmentVariable);

    /// <summary>The same with the environment as a parameter.</summary>
    internal static string Default(Func<string, string?> variable)
    {
        if (variable("SESSIONS_HOME") is { Length: > 0 } chosen)
        {
            return Full(chosen);
        }

        if (OperatingSystem.IsWindows())
        {
            string local = Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return Path.Combine(Known(local), "sessions");
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

    /// <summary>A path from where the process stands. That folder may be gone, and then there is none.</summary>
    internal static string Full(string path)
    {
        try
        {
            return Path.GetFullPath(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Errors.Argument("path", "path must be a full path, since the current folder cannot be had.");
        }
    }

    private static string Home(Func<string, string?> variable) =>
        // The user's entry knows where home is, and is asked only where the variable is not there: another place
        // than the one that the rest of the user's programs take would be a second, empty store.
        Known(variable("HOME") is { Length: > 0 } home ? home : Environment.GetFolderPath(
            Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify));

    // No folder that all may write stands in for it: the first user there would own what others say.
    private static string Known(string folder) => Path.IsPathFullyQualified(folder) ? folder
        : throw Errors.Argument("path", "HOME must be a full path where no path is given; or name the folder.");
}
