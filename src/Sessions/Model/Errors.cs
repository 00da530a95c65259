using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Sessions.Json;

namespace Sessions;

/// <summary>Makes the failures that the engine answers with, each with the details its status promises.</summary>
internal static class Errors
{
    public static SessionException Argument(string argument, string message)
        => new(SessionStatus.InvalidArgument, message, Details(b => b.Member("argument", argument)));

    /// <summary>A word that there is not, and those that there are.</summary>
    public static SessionException Word(string argument, string given, params string[] known)
    {
        string words = string.Join(", ", known);
        return new SessionException(SessionStatus.InvalidArgument,
            $"{argument}: \"{given}\" must be one of {words}.",
            Details(b => b.Member("argument", argument).Member("expected", "one of " + words)));
    }

    public static SessionException Closed() => new(SessionStatus.Closed, "The store of this handle was closed.");

    public static SessionException Cancelled() => new(SessionStatus.Cancelled, "The handle was destroyed.");

    public static SessionException JobCancelled() => new(SessionStatus.Cancelled, "The job was cancelled.");

    public static SessionException Aborted(string id) => new(SessionStatus.Cancelled, "The session was aborted.",
        Details(b => b.Member("session_id", id)));

    public static SessionException StreamEnded(string what) => new(SessionStatus.InvalidTransition,
        "The stream has ended.", Details(b => b.Member("state", "ended").Member("event", what)
            .Member("reason", "an event of its turn, its end or a delete came first")));

    public static SessionException Misuse()
        => new(SessionStatus.Misuse, "Two threads used a handle at once that serves one at a time.");

    public static SessionException NotFound(string what, string? id = null)
        => new(SessionStatus.NotFound, $"There is no such {what}.", id is null
            ? "{}" : Details(b => b.Member("session_id", id)));

    public static SessionException Deleted(string id)
        => new(SessionStatus.Deleted, "The session was deleted.", Details(b => b.Member("session_id", id)));

    public static SessionException Limit(string limit, long max, long actual)
        => new(SessionStatus.Limit, $"{limit} is {actual}; at most {max} is allowed.",
            Details(b => b.Member("limit", limit).Member("max", max).Member("actual", actual)));

    public static SessionException Conflict(long expected, long actual)
        => new(SessionStatus.Conflict, "The session has changed since that revision.",
            Details(b => b.Member("expected", expected).Member("actual", actual)));

    public static SessionException Denied(string rule)
        => new(SessionStatus.AccessDenied, rule == "share.hidden" ? "A share does not show what a rewind hides."
            : "What was shared can only be read.", Details(b => b.Member("rule", rule)));

    public static SessionException Busy(string what)
        => new(SessionStatus.Busy, $"{what} was not to be had in time; nothing happened.");

    public static SessionException ReadOnly() => new(SessionStatus.ReadOnly, "The store was opened read-only.");

    public static SessionException NotLocal(string fileSystem) => new(SessionStatus.NotLocal,
        $"The store's folder is on {fileSystem}, where locks and syncs cannot be relied on.",
        Details(b => b.Member("file_system", fileSystem)));

    public static SessionException NoMemory(Exception inner)
        => new(SessionStatus.NoMemory, "There is not enough memory, or no thread to be had.", inner: inner);

    public static SessionException Poisoned() => new(SessionStatus.Poisoned,
        "A write of the journal or a sync failed; nothing is written until the store is opened again.");

    public static SessionException Corrupt(string message, string? file, string? sessionId = null)
        => new(SessionStatus.Corrupt, message, Details(b => b.Member("session_id", sessionId).Member("file", file)));

    public static SessionException InvalidUtf8(string argument, long offset)
        => new(SessionStatus.InvalidUtf8, $"{argument} is not UTF-8 at byte {offset}.",
            Details(b => b.Member("argument", argument).Member("offset", offset)), offset);

    /// <summary>Something other than a file or folder of a store stands in the place of one.</summary>
    public static SessionException Misplaced(string file, Exception? inner = null) => new(SessionStatus.Corrupt,
        $"{file}, or a folder on the way to it, is no part of a store: a link, a pipe, a file with a second name, or a "
            + "file for a folder. It is not followed and not opened; session_store_verify() names such things, and "
            + "session_store_salvage() moves them to quarantine/.",
        Details(b => b.Member("session_id", (string?)null).Member("file", file)), inner: inner);

    /// <summary>An untrusted user owns a part of the store, or may write to it.</summary>
    public static SessionException OfOthers(string file, uint owner, uint mode, Exception? inner = null)
        => new(SessionStatus.AccessDenied,
            $"{(file.Length == 0 ? "The store's folder" : file)} belongs to user {owner}, mode {ModeText(mode)}. "
                + "A store must belong to the user who opens it (copy it as that user, or chown it), and nobody else "
                + "may write to it (chmod -R go-w). Only where everybody who may write there is trusted, open it with "
                + "SESSION_STORE_SHARED_OWNERS.",
            Details(b => b.Member("rule", "store.owner").Member("file", file).Member("owner", owner)
                .Member("mode", mode)), inner: inner);

    /// <summary>Permissions as people write them: 0755.</summary>
    public static string ModeText(uint mode) => Convert.ToString(mode & 0xFFF, 8).PadLeft(4, '0');

    public static SessionException NoStore(string root) => new(SessionStatus.NotFound,
        $"There is no store at {root}.", Details(b => b.Member("path", root)));

    /// <summary>A folder that is no store has something under a name that a store needs.</summary>
    public static SessionException Taken(string root, string path) => new(SessionStatus.Exists,
        $"{root} is no store, and its {path} would be taken for a store's own. Give a folder of its own.",
        Details(b => b.Member("path", root).Member("file", path)));

    /// <summary>What the system refused: the operation by the system's name, the whole path, and why.</summary>
    public static SessionException OfSystem(SessionStatus status, string operation, string file, string path,
        string reason, int osError, Exception? inner = null)
        => new(status, $"{operation} failed on {path}: {reason}.",
            Details(b => b.Member("operation", operation).Member("file", file).Member("path", path)),
            osError: osError, inner: inner);

    /// <summary>What the system says of an error number, and the number.</summary>
    public static string SystemText(int number)
        => string.Create(CultureInfo.InvariantCulture, $"{Marshal.GetPInvokeErrorMessage(number)} ({number})");

    public static string Details(Action<Utf8Buffer> members)
    {
        var buffer = new Utf8Buffer(128);
        buffer.Byte('{');
        members(buffer);
        buffer.Byte('}');
        return Encoding.UTF8.GetString(buffer.Written);
    }
}
