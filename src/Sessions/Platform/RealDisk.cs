namespace Sessions.Platform;

/// <summary>The disk of the operating system.</summary>
internal static class RealDisk
{
    /// <summary>A disk with this folder as its root. The folder need not exist yet.</summary>
    public static IDisk Open(string absoluteFolder)
    {
        if (!Path.IsPathFullyQualified(absoluteFolder))
        {
            throw new ArgumentException("The store's folder must be an absolute path.", nameof(absoluteFolder));
        }

        string root = Path.TrimEndingDirectorySeparator(absoluteFolder);
        return OperatingSystem.IsWindows() ? new WindowsDisk(root) : new UnixDisk(root);
    }
}
