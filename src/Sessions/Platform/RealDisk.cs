using Sessions.Platform.Unix;
using Sessions.Platform.Windows;

namespace Sessions.Platform;

/// <summary>The disk of the operating system.</summary>
internal static class RealDisk
{
    /// <summary>A disk with this folder as its root. The folder need not exist yet. Where its owners share the store,
    /// files of anybody are taken; else of its owner alone.</summary>
    public static IDisk Open(string absoluteFolder, bool sharesOwners = false)
    {
        if (!Path.IsPathFullyQualified(absoluteFolder))
        {
            throw new ArgumentException("The store's folder must be an absolute path.", nameof(absoluteFolder));
        }

        string root = Path.TrimEndingDirectorySeparator(absoluteFolder);
        return OperatingSystem.IsWindows() ? new WindowsDisk(root) : new UnixDisk(root, sharesOwners);
    }
}
