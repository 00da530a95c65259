using Sessions.Coordination.Locks;

namespace Sessions.CrashHost;

/// <summary>Orders on handles that are kept from one to the next, one for each session: what a lock is of.</summary>
internal sealed partial class Host
{
    private readonly Dictionary<string, Session> _kept = [];
    private readonly Dictionary<string, SessionStream> _keptStreams = [];

    // Null for an order that is none of these.
    private string? ActOnLock(ReadOnlySpan<string> order)
    {
        switch (order[0])
        {
            case "lock": // session, mode, how long, and "ask"
                Kept(order[1]).Lock(Enum.Parse<LockMode>(order[2], ignoreCase: true), new LockOptions
                {
                    TimeoutMs = order.Length > 3 ? (uint)Number(order[3]) : 0,
                    Flags = order.Length > 4 ? LockFlags.Ask : LockFlags.None,
                });
                return "had";
            case "unlock":
                Kept(order[1]).Unlock();
                return "";
            case "answer": // session, request, "yes"
                Kept(order[1]).AnswerLock(order[2], order[3] == "yes");
                return "";
            case "lock-status":
                return Text(Kept(order[1]).WriteLockStatus);
            case "beat":
                Store.Engine.Commit(new HeartbeatRequest(Store.Engine.Locks) { Full = false });
                return "";
            case "let-go":
                Kept(order[1]).Dispose();
                _kept.Remove(order[1]);
                return "";
            case "kept": // session, and what to write through its handle
                return Write(Kept(order[1]), order[2]);
            default:
                return null;
        }
    }

    private string Write(Session session, string what)
    {
        switch (what)
        {
            case "append":
                return Text(session.Append("note", "1"u8));
            case "relaxed":
                return Text(session.Append("note", "1"u8, new AppendOptions { Flags = AppendFlags.Relaxed }));
            case "batch":
                return Text(b => session.AppendBatch("""[{"type":"note","data":1}]"""u8, AppendFlags.None, b));
            case "begin":
                _keptStreams[session.Id] = session.BeginStream("agent_message");
                return "";
            case "write":
                _keptStreams[session.Id].Write("text "u8);
                return "";
            case "end":
                return Text(_keptStreams[session.Id].End());
            case "rewind":
                session.Rewind(1);
                return "";
            case "undo":
                session.UndoRewind();
                return "";
            case "prune":
                return Text(b => session.Prune("""{"max_events":1}"""u8, b));
            case "repair":
                return Text(b => session.Repair(RepairFlags.None, b));
            case "activity":
                session.SetActivity("processing");
                return "";
            case "answer":
                session.AnswerLock("lr_000000000000", accept: true);
                return "";
            default:
                throw new InvalidOperationException($"There is no write '{what}'.");
        }
    }

    private Session Kept(string id)
        => _kept.TryGetValue(id, out Session? session) ? session : _kept[id] = Store.OpenSession(id);
}
