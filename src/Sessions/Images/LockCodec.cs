using System.Text.Json;
using Sessions.Json;

namespace Sessions.Images;

/// <summary>lock.json. docs/FORMAT.md describes it; keep both in step.</summary>
internal static class LockCodec
{
    /// <summary>The compact image; empty where there is nothing to say.</summary>
    public static byte[] Write(LockState state, string sessionId)
    {
        if (state.SaysNothing)
        {
            return [];
        }

        var b = new Utf8Buffer(512);
        b.Byte('{').Member("session_id", sessionId).Member("epoch", state.Epoch);
        if (state.Holder is { } holder)
        {
            WriteHolder(holder, b);
        }

        b.Member("reserved_for", state.ReservedFor).Name("requests").Byte('[');
        for (int i = 0; i < state.Asks.Count; i++)
        {
            b.Raw(i == 0 ? "{"u8 : ",{"u8);
            WriteAsk(state.Asks[i], b);
            b.Byte('}');
        }

        return b.Raw("]}"u8).ToArray();
    }

    /// <summary>The state of an image. One that another program wrote and that is no lock counts as none: whoever
    /// had it finds its epoch gone.</summary>
    public static LockState Read(ReadOnlyMemory<byte> compact)
    {
        try
        {
            return compact.IsEmpty ? LockState.Free : ReadAll(compact);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or JsonException)
        {
            return LockState.Free;
        }
    }

    /// <summary>The members of a holder.</summary>
    public static void WriteHolder(LockHolder h, Utf8Buffer b)
        => b.Member("pid", h.Pid).Member("process_started_at", h.ProcessStartedAt).Member("hostname", h.Hostname)
            .Member("boot_id", h.BootId).Member("pid_namespace", h.PidNamespace)
            .Member("instance_id", h.InstanceId).Member("client_type", h.ClientType)
            .Member("started_at", h.StartedAt).Member("heartbeat_at", h.HeartbeatAt)
            .Member("last_activity_at", h.LastActivityAt).Member("status", h.Status)
            .Member("status_message", h.StatusMessage);

    /// <summary>The members of a request.</summary>
    public static void WriteAsk(LockAsk a, Utf8Buffer b)
        => b.Member("request_id", a.RequestId).Member("pid", a.Pid).Member("client_type", a.ClientType)
            .Member("instance_id", a.InstanceId).Member("message", a.Message).Member("at", a.At)
            .TimeMember("deadline", a.Deadline);

    private static LockState ReadAll(ReadOnlyMemory<byte> compact)
    {
        List<JsonMember> m = JsonMembers.Of(compact);
        List<LockAsk> asks = [];
        foreach (ReadOnlyMemory<byte> item in JsonMembers.Items(Find(m, "requests").Value))
        {
            asks.Add(ReadAsk(JsonMembers.Of(item)));
        }

        string? reservedFor = Find(m, "reserved_for").TextOrNull;
        return new LockState
        {
            Epoch = Find(m, "epoch").Number,
            Holder = m.Exists(x => x.Name == "pid") ? ReadHolder(m) : null,
            ReservedFor = asks.Exists(a => a.RequestId == reservedFor) ? reservedFor : null,
            Asks = asks,
        };
    }

    private static LockHolder ReadHolder(List<JsonMember> m) => new()
    {
        Pid = Find(m, "pid").Number,
        ProcessStartedAt = Find(m, "process_started_at").Number,
        Hostname = Find(m, "hostname").Text,
        BootId = TryFind(m, "boot_id")?.TextOrNull,
        PidNamespace = TryFind(m, "pid_namespace")?.NumberOrZero ?? 0,
        InstanceId = Find(m, "instance_id").Text,
        ClientType = Find(m, "client_type").Text,
        StartedAt = Find(m, "started_at").Number,
        HeartbeatAt = Find(m, "heartbeat_at").Number,
        LastActivityAt = Find(m, "last_activity_at").Number,
        Status = Find(m, "status").Text is var status && LockHolder.IsStatus(status)
            ? status : throw new FormatException(),
        StatusMessage = Find(m, "status_message").TextOrNull,
    };

    private static LockAsk ReadAsk(List<JsonMember> m) => new()
    {
        RequestId = Find(m, "request_id").Text,
        Pid = Find(m, "pid").Number,
        ClientType = Find(m, "client_type").Text,
        InstanceId = Find(m, "instance_id").Text,
        Message = Find(m, "message").TextOrNull,
        At = Find(m, "at").Number,
        Deadline = Find(m, "deadline").NumberOrZero,
    };

    // What an earlier version did not write.
    private static JsonMember? TryFind(List<JsonMember> members, string name)
        => members.Find(m => m.Name == name) is { Name: not null } found ? found : null;

    private static JsonMember Find(List<JsonMember> members, string name)
    {
        JsonMember found = members.Find(m => m.Name == name);
        return found.Name is null ? throw new FormatException() : found;
    }
}
