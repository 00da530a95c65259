using System.Buffers;
using Sessions.Json;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Rules;
using Sessions.Storage.Files;
using Sessions.Storage.Page;
using Sessions.Storage.Rows;

namespace Sessions.Lifecycle;

/// <summary>What session_store_get_info answers.</summary>
internal static class StoreInfo
{
    private const int QuarantinedMax = 1000;

    public static void Write(StoreCore core, string path, Func<int> countLocks, IBufferWriter<byte> output)
    {
        var b = new Utf8Buffer(1024);
        lock (core.Rows.Gate)
        {
            core.Refresh();
            core.Rows.Complete();
            WriteState(core, path, countLocks(), b);
        }

        byte[] config;
        lock (core.Rows.Gate)
        {
            config = ReadConfig(core); // first, so that damage found here is named too
        }

        WriteQuarantined(core, b);
        WriteHeld(core, b);
        WriteRecovered(core.Recovered, b);
        DiskCapabilities disk = core.Disk.Capabilities;
        b.Name("capabilities").Byte('{').Member("hard_links", disk.HardLinks)
            .Member("atomic_exchange", disk.AtomicExchange)
            .Member("local_file_system", disk.IsLocal ? disk.FileSystem : null).Byte('}');
        b.RawMember("config", StoreConfig.Effective(config)).Byte('}');
        output.Write(b.Written);
    }

    // All of it as of one moment, so it is called under the gate.
    private static void WriteState(StoreCore core, string path, int openLocks, Utf8Buffer b)
    {
        Census census = Count(core.Rows.Rows);
        SharedState shared = core.State;
        b.Byte('{').Member("path", path).Member("store_id", core.StoreId)
            .Member("format_version", StoreFile.CurrentVersion).Member("read_only", core.IsReadOnly)
            .Member("poisoned", shared.Health == StoreHealth.Poisoned)
            .Member("corrupt", shared.Health == StoreHealth.Corrupt)
            .Member("lsn", core.Rows.Lsn).Member("sessions", census.Sessions).Member("archived", census.Archived)
            .Member("trash", census.Trash).Member("open_locks", openLocks).Name("by_state").Byte('{');
        foreach ((string state, long count) in census.States)
        {
            b.Member(state, count);
        }

        b.Byte('}');
    }

    private static Census Count(IEnumerable<Row> rows)
    {
        long sessions = 0, archived = 0, trash = 0;
        var states = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (Row row in rows)
        {
            if (row.IsGone)
            {
                continue;
            }

            if (row.DeletionLsn != 0)
            {
                trash++;
                continue;
            }

            sessions++;
            archived += row.Archived ? 1 : 0;
            string state = row.Info?.State ?? StateOf(row.Slice.Span);
            states[state] = states.GetValueOrDefault(state) + 1;
        }

        return new Census(sessions, archived, trash, states);
    }

    private static void WriteRecovered(RecoveryReport recovered, Utf8Buffer b)
    {
        b.Name("recovered").Byte('{').Member("redone_records", recovered.RedoneRecords)
            .Member("torn_bytes", recovered.TornBytes).Member("journal_lost", recovered.IsJournalLost)
            .Raw(",\"reclassified\":["u8);
        for (int i = 0; i < recovered.Reclassified.Count; i++)
        {
            b.Raw(i == 0 ? ""u8 : ","u8).Text(recovered.Reclassified[i]);
        }

        b.Raw("]}"u8);
    }

    // Rules that cannot be read are the defaults until a salvage; the damaged file is named above.
    private static byte[] ReadConfig(StoreCore core)
    {
        try
        {
            return core.Rows.ReadConfig();
        }
        catch (SessionException e) when (e.Status == SessionStatus.Corrupt)
        {
            return [];
        }
    }

    private static void WriteHeld(StoreCore core, Utf8Buffer b)
    {
        b.Name("unwritable").Byte('[');
        lock (core.Rows.Gate)
        {
            bool isFirst = true;
            foreach (string id in core.Rows.Held.Ids)
            {
                b.Raw(isFirst ? ""u8 : ","u8).Text(id);
                isFirst = false;
            }
        }

        b.Byte(']');
    }

    private static void WriteQuarantined(StoreCore core, Utf8Buffer b)
    {
        b.Name("quarantined").Byte('[');
        List<QuarantineEntry> entries = core.Quarantine.List(out int leftOff, most: QuarantinedMax);
        for (int i = 0; i < entries.Count; i++)
        {
            QuarantineEntry e = entries[i];
            b.Raw(i == 0 ? "{"u8 : ",{"u8).Member("session_id", e.SessionId).Member("file", e.File)
                .Member("reason", e.Reason).Member("at", e.At).Byte('}');
        }

        b.Byte(']').Member("quarantined_left_off", leftOff);
    }

    private static string StateOf(ReadOnlySpan<byte> json)
        => InfoCodec.TryRead(json.ToArray())?.State ?? "created";

    private readonly record struct Census(long Sessions, long Archived, long Trash,
        SortedDictionary<string, long> States);
}
