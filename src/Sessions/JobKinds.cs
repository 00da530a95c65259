using System.Buffers;
using Sessions.Events.Pruning;
using Sessions.Jobs;
using Sessions.Json;
using Sessions.Lifecycle;
using Sessions.Model;

namespace Sessions;

/// <summary>What jobs there are, and what each does: the body of the plain call of the same name.</summary>
internal static class JobKinds
{
    /// <summary>The kind that makes durable what was committed.</summary>
    public const string Flush = "flush";

    /// <summary>All of them.</summary>
    public static readonly string[] Words =
    [
        Flush, "backup", "verify", "purge", "retain", "prune", "repair", "transcript", "tree", "find_time", "put_file",
        "salvage", "migrate",
    ];

    private const uint VerifyFlags = 1;
    private const uint RepairFlagsKnown = 3;

    /// <summary>True for the kinds that work on a store which is open nowhere; null for a word that is none.</summary>
    public static bool? IsStoreless(string kind) => kind switch
    {
        "migrate" or "salvage" => true,
        Flush or "backup" or "find_time" or "prune" or "purge" or "put_file" or "repair" or "retain" or "transcript"
            or "tree" or "verify" => false,
        _ => null,
    };

    /// <summary>Reads the arguments of a kind that works on a path.</summary>
    public static JobBody Read(string kind, JobArguments arguments)
    {
        string? path = arguments.OptionalText("path");
        PathOptions options = PathOptions.Read(arguments.OptionalObject("options").Span);
        return kind == "migrate" ? (context, output) => SessionStore.Migrate(path, options, context, output)
            : (context, output) => SessionStore.Salvage(path, options, context, output);
    }

    /// <summary>Reads the arguments of a kind that works on an open store.</summary>
    public static JobBody Read(string kind, JobArguments arguments, SessionStore store) => kind switch
    {
        Flush => store.Flush,
        "verify" => Verify(arguments, store),
        "purge" => Purge(arguments, store),
        "retain" => Retain(arguments, store),
        "prune" => Prune(arguments, store),
        "repair" => Repair(arguments, store),
        "tree" => On(store, arguments.SessionId(), (session, context, output) => session.WriteTree(context, output)),
        "find_time" => FindTime(arguments, store),
        "put_file" => PutFile(arguments, store),
        "backup" => Backup(arguments, store),
        _ => Transcript(arguments, store),
    };

    private static JobBody Verify(JobArguments arguments, SessionStore store)
    {
        bool isDeep = arguments.Flags(VerifyFlags) == 0;
        return (context, output) => store.WriteVerifyReport(isDeep, context, output);
    }

    private static JobBody Purge(JobArguments arguments, SessionStore store)
    {
        long before = arguments.Number("deleted_before");
        return (context, output) =>
        {
            int count = store.Purge(before, context);
            var b = new Utf8Buffer(32);
            output.Write(b.Byte('{').Member("purged", (long)count).Byte('}').Written);
        };
    }

    private static JobBody Retain(JobArguments arguments, SessionStore store)
    {
        RetentionPolicy policy = RetentionPolicy.Read(arguments.OptionalObject("policy").Span);
        return (context, output) => store.Retain(policy, context, output);
    }

    private static JobBody Prune(JobArguments arguments, SessionStore store)
    {
        string id = arguments.SessionId();
        PruneOptions options = PruneOptions.Read(arguments.OptionalObject("options").Span);
        return On(store, id, (session, context, output) => session.Prune(options, context, output));
    }

    private static JobBody Repair(JobArguments arguments, SessionStore store)
    {
        string id = arguments.SessionId();
        var flags = (RepairFlags)arguments.Flags(RepairFlagsKnown);
        return On(store, id, (session, context, output) => session.Repair(flags, context, output));
    }

    private static JobBody Transcript(JobArguments arguments, SessionStore store)
    {
        string id = arguments.SessionId();
        var format = (TranscriptFormat)arguments.Number("format", (long)TranscriptFormat.Html);
        TranscriptOptions options = TranscriptOptions.Read(arguments.OptionalObject("options").Span);
        return On(store, id,
            (session, context, output) => session.WriteTranscript(format, options, context, output));
    }

    private static JobBody FindTime(JobArguments arguments, SessionStore store)
    {
        string id = arguments.SessionId();
        long at = arguments.Number("at");
        return On(store, id, (session, context, output) =>
        {
            var b = new Utf8Buffer(32);
            output.Write(b.Byte('{').Member("after_seq", session.FindTime(at, context)).Byte('}').Written);
        });
    }

    private static JobBody Backup(JobArguments arguments, SessionStore store)
    {
        string folder = SessionStore.BackupPath(arguments.Text("path"));
        return (context, output) => store.Backup(folder, context, output);
    }

    private static JobBody PutFile(JobArguments arguments, SessionStore store)
    {
        string id = arguments.SessionId();
        string name = arguments.Text("name"), path = arguments.Text("path");
        FileNames.Check(name);
        return On(store, id, (session, context, output) => session.PutFile(name, path, context, output));
    }

    // The session is opened when the job runs: its start does no I/O.
    private static JobBody On(SessionStore store, string id, Action<Session, JobContext, IBufferWriter<byte>> body)
        => (context, output) =>
        {
            using Session session = store.OpenSession(id);
            body(session, context, output);
        };
}
