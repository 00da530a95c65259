using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Sessions.Platform;

namespace Sessions.CrashHost;

/// <summary>Does orders on one store: a name, then what it needs.</summary>
internal sealed partial class Host(string path, Tongue tongue) : IDisposable
{
    private readonly Trap _trap = new();
    private readonly FailingDisk _disk = new(RealDisk.Open(path));
    private readonly Dictionary<string, SessionStream> _streams = [];
    private readonly Dictionary<string, SessionWatch> _watches = [];
    private SessionStore? _store;
    private long _number;

    private SessionStore Store => _store ?? throw new InvalidOperationException("No store is open.");

    public void Do(ReadOnlySpan<string> order)
    {
        if (order[0] == "work")
        {
            var worker = new Worker(Number(order[1]), order[3], order[4..]);
            for (int left = Number(order[2]); left != 0; left--)
            {
                string[] next = worker.Next();
                worker.Learn(next, Try(next));
            }

            tongue.Say("end", "work");
            return;
        }

        Try(order);
    }

    public void Dispose() => _store?.Dispose();

    private string? Try(ReadOnlySpan<string> order)
    {
        string number = Text(++_number);
        tongue.Say(["try", number, .. order]);
        try
        {
            string answer = Act(order);
            tongue.Say("ok", number, answer);
            return answer;
        }
        catch (SessionException e)
        {
            tongue.Say("no", number, e.Status.ToString(), e.Message.ReplaceLineEndings(" "));
            return null;
        }
    }

    private string Act(ReadOnlySpan<string> order)
    {
        switch (order[0])
        {
            case "arm":
                _trap.Arm(order[1], Enum.Parse<Step>(order[2]), Number(order[3]));
                return "";
            case "fail-sync":
                _disk.FailNextSync();
                return "";
            case "open":
                _store = SessionStore.Open(new StoreEnvironment
                {
                    Disk = _disk,
                    BootId = Machine.BootId,
                    AtStep = _trap.Pass,
                    RunsInBackground = order.Length < 3 || order[2] != "quiet",
                }, new SessionStoreOptions { BusyTimeoutMs = (uint)Number(order[1]) }, path);
                return "";
            case "close":
                Store.Close();
                return "";
            case "create":
                using (Session made = Store.Create(order.Length > 2 ? order[2] : null,
                    new SessionCreateOptions { Title = order[1] }))
                {
                    return made.Id;
                }

            case "begin": // session, turn
                using (Session session = Store.OpenSession(order[1]))
                {
                    string? turn = order.Length > 2 ? order[2] : null;
                    SessionStream stream = session.BeginStream("agent_message", new AppendOptions { TurnId = turn });
                    _streams.Add(stream.Id, stream);
                    return stream.Id;
                }

            case "write": // stream, text
                _streams[order[1]].Write(Utf8(order[2]));
                return "";
            case "end":
                return Text(_streams[order[1]].End());
            case "drop":
                _streams[order[1]].Dispose();
                return "";
            case "watch": // name, LSN, "coalesce" or ""
                _watches.Add(order[1], Store.OpenWatch(new WatchOptions
                {
                    AfterLsn = long.Parse(order[2], CultureInfo.InvariantCulture),
                    Flags = order[3] == "coalesce" ? WatchFlags.Coalesce : WatchFlags.None,
                }));
                return "";
            case "next": // watch, how long
                return Next(_watches[order[1]], (uint)Number(order[2]));
            case "drain": // watch
                return Drain(_watches[order[1]]);
            case "restore":
                Store.Restore(order[1]);
                return "";
            case "adds": // session, how many, their texts' beginning: each by a thread and a handle of its own
                return AddAtOnce(order[1], Number(order[2]), order[3]);
            case "purge":
                return Text(Store.Purge(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 1));
            case "flush":
                Store.Flush();
                return "";
            case "checkpoint":
                return Store.Engine.Checkpointer.TryRun() ? "done" : "not now";
            case "verify":
                return Text(b => Store.WriteVerifyReport(deep: true, b));
            case "list":
                return Text(b => Store.WriteList(null, b));
            default:
                if (ActOnLock(order) is { } done)
                {
                    return done;
                }

                using (Session session = Store.OpenSession(order[1]))
                {
                    return Act(session, order);
                }
        }
    }

    private static string Next(SessionWatch watch, uint timeoutMs)
        => Text(b =>
        {
            if (!watch.WriteNext(0, timeoutMs, b))
            {
                b.Write("{}"u8);
            }
        });

    // All that there is, in short: each kind with how many of it, and the numbers of events that are not the
    // next ones.
    private static string Drain(SessionWatch watch)
    {
        var kinds = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var jumps = new List<string>();
        long last = 0;
        bool hasMore = true;
        while (hasMore)
        {
            using JsonDocument page = JsonDocument.Parse(Text(b => watch.WriteNext(5000, 0, b)));
            foreach (JsonElement change in page.RootElement.GetProperty("changes").EnumerateArray())
            {
                string kind = change.GetProperty("kind").GetString()!;
                kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
                if (change.GetProperty("detail").TryGetProperty("seq", out JsonElement number))
                {
                    long seq = number.GetInt64();
                    jumps.AddRange(seq == last + 1 ? [] : [Text(seq)]);
                    last = seq;
                }
            }

            hasMore = page.RootElement.GetProperty("has_more").GetBoolean();
        }

        string counts = string.Join(' ', kinds.Select(k => $"{k.Key}={k.Value}"));
        return $"{counts} jumps={string.Join(',', jumps)} last={last}";
    }

    private static string Act(Session session, ReadOnlySpan<string> order)
    {
        switch (order[0])
        {
            case "title":
                return Text(session.Update(Utf8($"{{\"title\":{Quote(order[2])}}}")));
            case "append":
                return Append(session, order[2], AppendFlags.Durable);
            case "relaxed":
                return Append(session, order[2], AppendFlags.Relaxed);
            case "large": // id, text, how many bytes more
                return Append(session, order[2], AppendFlags.Durable, Number(order[3]));
            case "batch": // id, text, how many
                int count = Number(order[3]);
                string text = order[2];
                string events = string.Join(',', Enumerable.Range(0, count)
                    .Select(i => $"{{\"type\":\"agent_message\",\"data\":{{\"text\":{Quote($"{text}.{i}")}}}}}"));
                return Text(b => session.AppendBatch(Utf8($"[{events}]"), AppendFlags.Durable, b));
            case "delete":
                session.Delete(DeletePolicy.Orphan);
                return "";
            case "cascade":
                session.Delete(DeletePolicy.Cascade);
                return "";
            case "remove":
                session.Delete(DeletePolicy.Orphan | DeletePolicy.NoTrash);
                return "";
            case "call": // session, turn, id: a tool call without a result
                return Text(session.Append("tool_call", Utf8($"{{\"tool_call_id\":{Quote(order[3])}}}"),
                    new AppendOptions { TurnId = order[2] }));
            case "abort": // session, reason, flags
                return Text(session.Abort(order[2], order.Length > 3 ? Enum.Parse<AbortFlags>(order[3]) : default));
            case "is-aborted":
                return session.IsAborted ? "yes" : "no";
            case "clear":
                session.ClearAbort();
                return "";
            case "queue": // session, text: the entry's id
                byte[] queued = Utf8($"{{\"message\":{Quote(order[2])}}}");
                return Member(b => session.AddToQueue(queued, b), "id");
            case "claim": // the entry's id
                return Member(b => session.ClaimQueued("t", b), "id");
            case "settle": // session, entry, outcome
                return Text(session.SettleQueued(order[2], Enum.Parse<QueueOutcome>(order[3])));
            case "queued":
                return Text(session.WriteQueue);
            case "suggest":
                session.SetButtons(Utf8(order[2]));
                return "";
            case "buttons":
                return Text(session.WriteButtons);
            case "share":
                var options = new SessionShareOptions { Flags = ShareFlags.Rotate };
                string share = Text(b => session.WriteShare(options, b));
                return JsonDocument.Parse(share).RootElement.GetProperty("url").GetString()!;
            case "fork": // id, title: the branch, and how much of the past it shares
                using (Session child = session.Fork(0, new SessionCreateOptions { Title = order[2] }))
                {
                    return $"{child.Id} {Text(Json(child.WriteInfo).GetProperty("fork_seq").GetInt64())}";
                }

            case "prune": // id, how many events stay at most: the first number that is left
                byte[] limit = Utf8($"{{\"max_events\":{order[2]},\"trash\":false}}");
                Text(b => session.Prune(limit, b));
                JsonElement left = Json(b => session.WriteEvents(0, 1, b)).GetProperty("events");
                return left.GetArrayLength() == 0 ? "" : Text(left[0].GetProperty("seq").GetInt64());
            case "hold": // id, text, how many: their numbers, appended under the session's lock
                return Hold(session, order[2], Number(order[3]));
            case "enqueue": // id, text: the entry
                string keyed = $"{{\"message\":{Quote(order[2])},\"key\":{Quote(order[2])}}}";
                return Member(b => session.AddToQueue(Utf8(keyed), b), "id");
            case "deliver": // the number that the next entry got, and its text
                return Deliver(session);
            case "info":
                return Text(session.WriteInfo);
            case "last": // the text of the last event, and its number
                return Text(b => session.WriteLastEvents(0, 1, b));
            case "streams":
                return Text(b => session.WriteStreams(null, 0, b));
            case "wait":
                return session.WaitAbort((uint)Number(order[2])) ? "aborted" : "time is over";
            default:
                throw new InvalidOperationException($"There is no order '{order[0]}'.");
        }
    }

    private static string Hold(Session session, string text, int count)
    {
        session.Lock(LockMode.Try);
        try
        {
            return string.Join(' ', Enumerable.Range(0, count).Select(i => Append(session,
                string.Create(CultureInfo.InvariantCulture, $"{text}.{i}"),
                i % 2 == 0 ? AppendFlags.Durable : AppendFlags.Relaxed)));
        }
        finally
        {
            session.Unlock();
        }
    }

    // What a host does that is killed between a claim and its settling: it gives the entry back first.
    private static string Deliver(Session session)
    {
        foreach (JsonElement e in Json(session.WriteQueue).GetProperty("entries").EnumerateArray())
        {
            if (e.GetProperty("state").GetString() == "interrupted")
            {
                session.SettleQueued(e.GetProperty("id").GetString()!, QueueOutcome.Release);
            }
        }

        JsonElement claimed = Json(b => session.ClaimQueued(null, b));
        long seq = session.SettleQueued(claimed.GetProperty("id").GetString()!, QueueOutcome.Sent);
        return $"{Text(seq)} {claimed.GetProperty("message").GetString()}";
    }

    private static JsonElement Json(Action<IBufferWriter<byte>> write)
    {
        using JsonDocument document = JsonDocument.Parse(Text(write));
        return document.RootElement.Clone();
    }

    // How many went in and how many found it full.
    private string AddAtOnce(string id, int count, string text)
    {
        int added = 0, refused = 0;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            using Session session = Store.OpenSession(id);
            try
            {
                session.AddToQueue(Utf8($"{{\"message\":{Quote($"{text}-{i}")}}}"), new ArrayBufferWriter<byte>());
                Interlocked.Increment(ref added);
            }
            catch (SessionException e) when (e.Status == SessionStatus.QueueFull)
            {
                Interlocked.Increment(ref refused);
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        return $"{added} {refused}";
    }

    private static string Member(Action<IBufferWriter<byte>> write, string name)
        => JsonDocument.Parse(Text(write)).RootElement.GetProperty(name).GetString()!;

    private static string Append(Session session, string text, AppendFlags flags, int more = 0)
        => Text(session.Append("user_prompt", Utf8($"{{\"text\":{Quote(text)},\"more\":\"{new string('x', more)}\"}}"),
            new AppendOptions { Flags = flags }));

    private static string Quote(string text) => JsonSerializer.Serialize(text);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
