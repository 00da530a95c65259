namespace Sessions.Platform;

/// <summary>
/// The one check of the paths that an <see cref="IDisk"/> takes: names with '/' between them, none of which
/// leads anywhere but down. Every disk makes it at every call, so no room above can forget it.
/// </summary>
internal static class StorePath
{
    /// <summary>Throws <see cref="DiskError.Misplaced"/> where a part of the path is empty, "." or "..", or holds a
    /// NUL. "" alone is the store's folder.</summary>
    public static void Check(string operation, string path)
    {
        if (path.Length > 0 && !IsDown(path))
        {
            throw new DiskException(DiskError.Misplaced, operation, path, 0);
        }
    }

    /// <summary>True for names with one '/' between them, none of which leads anywhere but down.</summary>
    public static bool IsDown(string path)
    {
        int start = 0;
        for (int i = 0; i <= path.Length; i++)
        {
            char c = i < path.Length ? path[i] : '/';
            if (c == '\0')
            {
                return false;
            }

            if (c == '/')
            {
                int length = i - start;
                if (length == 0 || (path[start] == '.' && (length == 1 || (length == 2 && path[start + 1] == '.'))))
                {
                    return false;
                }

                start = i + 1;
            }
        }

        return true;
    }
}
