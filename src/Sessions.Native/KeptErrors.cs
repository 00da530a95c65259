using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Sessions.Json;

namespace Sessions.Native;

/// <summary>
/// The last failures of a handle, for hosts that look at an error on another thread than the call was made on.
/// They go with what the handle stands for; a handle on which nothing failed costs nothing.
/// </summary>
internal sealed class KeptErrors
{
    private const int Most = 8;

    private static readonly ConditionalWeakTable<object, KeptErrors> s_all = [];

    private readonly Kept[] _ring = new Kept[Most];
    private long _count;

    /// <summary>Keeps a failure of what a handle stands for.</summary>
    internal static void Keep(object target, SessionException failure)
    {
        KeptErrors mine = s_all.GetValue(target, static _ => new KeptErrors());
        lock (mine._ring)
        {
            mine._ring[mine._count++ % Most] = new Kept(failure);
        }
    }

    /// <summary>Writes the newest one with the status; false where there is none.</summary>
    internal static bool TryWrite(object target, SessionStatus status, NativeWriter output)
    {
        if (!s_all.TryGetValue(target, out KeptErrors? mine))
        {
            return false;
        }

        lock (mine._ring)
        {
            for (long i = 1; i <= Math.Min(mine._count, Most); i++)
            {
                ref readonly Kept kept = ref mine._ring[(mine._count - i) % Most];
                if (kept.Status == status)
                {
                    kept.Write(output);
                    return true;
                }
            }
        }

        return false;
    }

    // Without the exception, which would hold on to its stack and its causes.
    private readonly struct Kept(SessionException failure)
    {
        private readonly int _osError = failure.OsError;
        private readonly string _message = failure.Message;
        private readonly string _details = failure.Details;
        private readonly long _offset = failure.Offset;

        internal SessionStatus Status { get; } = failure.Status;

        internal void Write(NativeWriter output)
        {
            var b = new Utf8Buffer(128 + _message.Length + _details.Length);
            b.Byte('{').Member("status", (long)Status).Member("os_error", (long)_osError).Member("message", _message)
                .Raw(",\"details\":"u8).Raw(Encoding.UTF8.GetBytes(_details)).Member("offset", _offset).Byte('}');
            output.Write(b.Written);
        }
    }
}
