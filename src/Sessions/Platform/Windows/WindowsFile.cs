using System.Diagnostics.CodeAnalysis;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Sessions.Platform.Windows;

/// <summary>An open file of Windows.</summary>
[SupportedOSPlatform("windows")]
[ExcludeFromCodeCoverage(Justification = "Runs on Windows alone.")]
internal sealed class WindowsFile(SafeFileHandle handle, string path, ulong identity, bool isLinked) : IDiskFile
{
    public ulong Identity => identity;

    public bool IsLinked => isLinked;

    public long Length
    {
        get
        {
            try
            {
                return RandomAccess.GetLength(handle);
            }
            catch (Exception e) when (IsDiskError(e))
            {
                throw WindowsErrors.Failure("GetFileSizeEx", path, e);
            }
        }
    }

    public int Read(Span<byte> buffer, long offset)
    {
        try
        {
            int done = 0;
            int got;
            while (done < buffer.Length && (got = RandomAccess.Read(handle, buffer[done..], offset + done)) > 0)
            {
                done += got;
            }

            return done;
        }
        catch (Exception e) when (IsDiskError(e))
        {
            throw WindowsErrors.Failure("ReadFile", path, e);
        }
    }

    // This library makes no sparse files there (FSCTL_SET_SPARSE), and a plain one has no holes.
    public long NextData(long offset) => offset;

    public void Write(ReadOnlySpan<byte> data, long offset)
    {
        try
        {
            RandomAccess.Write(handle, data, offset);
        }
        catch (Exception e) when (IsDiskError(e))
        {
            throw WindowsErrors.Failure("WriteFile", path, e);
        }
    }

    public void SetLength(long length)
    {
        try
        {
            RandomAccess.SetLength(handle, length);
        }
        catch (Exception e) when (IsDiskError(e))
        {
            throw WindowsErrors.Failure("SetEndOfFile", path, e);
        }
    }

    public void Sync()
    {
        try
        {
            RandomAccess.FlushToDisk(handle);
        }
        catch (Exception e) when (IsDiskError(e))
        {
            throw WindowsErrors.FailedSync("FlushFileBuffers", path, e);
        }
    }

    public void StartWriteback()
    {
        // Windows has no such call; it begins within a second by itself.
    }

    public bool? IsOpenElsewhere() => null;

    public void Dispose() => handle.Dispose();

    private static bool IsDiskError(Exception e) => e is IOException or UnauthorizedAccessException;
}
