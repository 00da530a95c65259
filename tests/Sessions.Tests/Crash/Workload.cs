using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Sessions.Platform;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Crash;

/// <summary>
/// A fixed run of calls that does the same at each playing: time and chance are its own. After each
/// call the whole store is written down as text, so that what a crash leaves can be held against it.
/// </summary>
internal sealed class Workload(int seed, int calls)
{
    private readonly ManualTime _time = new();
    private readonly Random _random = new(seed);
    private readonly List<string> _live = [];
    private readonly List<string> _trash = [];
    private readonly List<(string SessionId, SessionStream Stream)> _streams = [];
    private int _chance = seed;

    public ManualTime Time => _time;

    /// <summary>Another after each power cut, the same after a kill.</summary>
    public ulong BootId { get; set; } = 7;

    /// <summary>Every id that was ever given out.</summary>
    public HashSet<string> Ids { get; } = [];

    /// <summary>The store after each call, the first before all of them.</summary>
    public List<string> States { get; } = [];

    /// <summary>The store after each call as it is when everybody is gone and it is opened anew: open
    /// streams are events then.</summary>
    public List<string> Reopened { get; } = [];

    /// <summary>Whether all up to a call is on stable storage when it returns.</summary>
    public List<bool> IsFull { get; } = [];

    /// <summary>Plays all calls. Whatever ends it early leaves the states up to there.</summary>
    public void Play(Func<FaultyDisk> openDisk, bool writesStates)
    {
        SessionStore store = Open(openDisk());
        Note(store, full: true, writesStates, openDisk);
        for (int i = 0; i < calls; i++)
        {
            _time.Advance(_random.Next(3) * 300);
            bool full = Call(ref store, openDisk);
            Note(store, full, writesStates, openDisk);
        }

        store.Close();
        Note(null, full: true, writesStates, openDisk);
    }

    public SessionStore Open(IDisk disk) => SessionStore.Open(new StoreEnvironment
    {
        Disk = disk,
        Time = _time,
        FillRandom = span =>
        {
            foreach (ref byte b in span)
            {
                b = (byte)(_chance = (_chance * 1103515245) + 12345 >> 3);
            }
        },
        ProcessId = 1,
        BootId = BootId,
        RunsInBackground = false,
    });

    /// <summary>All that can be read of a store, as text.</summary>
    public static string Write(SessionStore store)
    {
        var text = new StringBuilder();
        foreach (ListFlags flags in (ListFlags[])[ListFlags.None, ListFlags.Trash])
        {
            foreach (JsonElement info in store.List(new SessionListOptions
            {
                Flags = flags,
                Order = ListOrder.CreatedAscending,
                Archived = ArchivedFilter.Include,
            }).EnumerateArray())
            {
                text.AppendLine(info.GetRawText());
                if (flags == ListFlags.None)
                {
                    using Session session = store.OpenSession(info.GetProperty("id").GetString()!);
                    text.AppendLine(session.Events().GetRawText());
                    text.AppendLine(Stores.Text(session.WriteShares));
                    text.AppendLine(Stores.Text(b => session.WriteStreams(null, 0, b)));
                    text.AppendLine(Stores.Text(session.WriteQueue) // claimed by who is there no more
                        .Replace("\"claimed\"", "\"interrupted\"", StringComparison.Ordinal));
                    text.AppendLine(Stores.Text(session.WriteButtons));
                }
            }
        }

        return text.AppendLine(store.Info().GetProperty("config").GetRawText()).ToString();
    }

    /// <summary>The same without the times of what had nobody to end it, which depend on who did.</summary>
    public static string WithoutTimes(string state) => string.Join('\n', state.Split('\n').Select(
        line => line.StartsWith("{\"id\":", StringComparison.Ordinal)
            ? Regex.Replace(line, "\"updated_at\":[0-9]+", "\"updated_at\":0") : line));

    private void Note(SessionStore? store, bool full, bool writesStates, Func<FaultyDisk> openDisk)
    {
        IsFull.Add(full);
        States.Add(!writesStates ? "" : store is null ? States[^1] : Write(store));
        Reopened.Add(States[^1]);
        if (writesStates && _streams.Count > 0)
        {
            int chance = _chance;
            using SessionStore again = Open(openDisk().Copy().AfterKill());
            Reopened[^1] = Write(again);
            _chance = chance; // as if nobody had looked
        }
    }

    private bool Call(ref SessionStore store, Func<FaultyDisk> openDisk)
    {
        if (_live.Count > 0 && _random.Next(5) == 0)
        {
            return Stream(store);
        }

        if (_live.Count > 0 && _random.Next(6) == 0)
        {
            return Queue(store);
        }

        int kind = _random.Next(100);
        if (_live.Count == 0 || kind < 12)
        {
            string? parent = _live.Count > 0 && _random.Next(2) == 0 ? Pick(_live) : null;
            using Session made = store.Create(parent, new SessionCreateOptions
            {
                Title = _random.Next(2) == 0 ? $"Session {Ids.Count}" : null,
                Metadata = Stores.Utf8("{\"n\":" + Ids.Count + "}"),
            });
            Assert.True(Ids.Add(made.Id), made.Id);
            _live.Add(made.Id);
            return true;
        }

        string id = Pick(_live);
        switch (kind)
        {
            case < 40:
            {
                bool relaxed = _random.Next(2) == 0;
                using Session session = store.OpenSession(id);
                session.Say(new string((char)('a' + _random.Next(26)), _random.Next(1, 6000)),
                    relaxed ? AppendFlags.Relaxed : AppendFlags.None);
                return !relaxed;
            }

            case < 48:
            {
                using Session session = store.OpenSession(id);
                var events = string.Join(",", Enumerable.Range(0, _random.Next(1, 5))
                    .Select(i => (_random.Next(3) == 0 // tool calls that an abort settles
                        ? $"{{\"type\":\"tool_call\",\"data\":{{\"tool_call_id\":\"c{i}\"}},"
                        : $"{{\"type\":\"note\",\"data\":{i},\"id\":\"k{_random.Next(50)}\",")
                        + $"\"turn_id\":\"t{i}\"}}"));
                session.AppendBatch(Stores.Utf8($"[{events}]"), AppendFlags.None,
                    new ArrayBufferWriter<byte>());
                return true;
            }

            case < 60:
            {
                using Session session = store.OpenSession(id);
                session.UpdateTitle($"Title {_random.Next(1000)}");
                return true;
            }

            case < 62:
            {
                using Session session = store.OpenSession(id);
                session.Abort("enough", _random.Next(2) == 0 ? AbortFlags.Tree : AbortFlags.None);
                return true;
            }

            case < 66:
            {
                using Session session = store.OpenSession(id);
                using Session made = session.Fork(_random.Next(2) == 0 ? 0
                    : _random.Next((int)session.GetStat().LastSeq + 1));
                Assert.True(Ids.Add(made.Id), made.Id);
                _live.Add(made.Id);
                return true;
            }

            case < 68:
            {
                using Session session = store.OpenSession(id);
                if (_random.Next(3) == 0 && session.Events().GetRawText().Contains("rewound", StringComparison.Ordinal))
                {
                    session.UndoRewind();
                }
                else
                {
                    session.Rewind(_random.Next((int)session.GetStat().LastSeq + 1));
                }

                return true;
            }

            case < 69:
            {
                using Session session = store.OpenSession(id);
                long before = store.Core.Rows.Lsn;
                session.Prune(Stores.Utf8($"{{\"max_events\":{_random.Next(1, 8)}}}"),
                    new ArrayBufferWriter<byte>());
                return store.Core.Rows.Lsn > before;
            }

            case < 71:
            {
                using Session session = store.OpenSession(id);
                long before = store.Core.Rows.Lsn;
                session.WriteShare(null, new ArrayBufferWriter<byte>());
                return store.Core.Rows.Lsn > before; // the link that is there is handed out without a commit
            }

            case < 76:
                Delete(store, id);
                return true;
            case < 81 when _trash.Count > 0:
                Restore(store, Pick(_trash));
                return true;
            case < 84:
                store.Purge(_time.NowMs - 2000);
                Sort(store);
                return true;
            case < 87:
                store.Configure(null, Stores.Utf8("{\"queue\":{\"max_size\":" + _random.Next(1, 99) + "}}"));
                return true;
            case < 92:
                store.Flush();
                return true;
            case < 96:
                Assert.True(store.Engine.Checkpointer.TryRun());
                return true;
            default:
                store.Close();
                _streams.Clear();
                store = Open(openDisk());
                return true;
        }
    }

    // Begins, writes or ends a stream. Their events bear times of their own, whoever ends them.
    private bool Stream(SessionStore store)
    {
        _streams.RemoveAll(s => !_live.Contains(s.SessionId));
        int kind = _random.Next(10);
        if (_streams.Count == 0 || kind < 2)
        {
            string id = Pick(_live);
            using Session session = store.OpenSession(id);
            _streams.Add((id, session.BeginStream(kind == 0 ? "agent_message" : "agent_thought", new AppendOptions
            {
                Timestamp = 1000 + _random.Next(1000),
                TurnId = $"t{_random.Next(3)}",
            })));
            return false;
        }

        (string SessionId, SessionStream Stream) picked = _streams[_random.Next(_streams.Count)];
        try
        {
            if (kind == 9)
            {
                _streams.Remove(picked);
                picked.Stream.End();
                return true;
            }

            picked.Stream.Write(Stores.Utf8(new string((char)('A' + _random.Next(26)), _random.Next(1, 3000))));
        }
        catch (SessionException e) when (e.Status is SessionStatus.Cancelled or SessionStatus.InvalidTransition)
        {
            return false; // an abort, or an event of its turn
        }

        return false;
    }

    // What waits for an agent, and what is suggested to its user.
    private bool Queue(SessionStore store)
    {
        using Session session = store.OpenSession(Pick(_live));
        JsonElement entries = Stores.Json(session.WriteQueue).GetProperty("entries");
        int count = entries.GetArrayLength();
        string id = count == 0 ? "q-0-none" : entries[_random.Next(count)].GetProperty("id").GetString()!;
        long before = store.Core.Rows.Lsn;
        try
        {
            switch (_random.Next(12))
            {
                case < 3:
                    string repeat = _random.Next(3) == 0 ? """{"every_ms":1000,"count":3}""" : "null";
                    session.AddToQueue(Stores.Utf8($$"""
                        {"message":"{{new string('q', _random.Next(1, 3000))}}","repeat":{{repeat}},
                         "key":"k{{_random.Next(20)}}","delay_ms":{{_random.Next(2) * 500}}}
                        """), new ArrayBufferWriter<byte>());
                    break;
                case < 6:
                    session.ClaimQueued($"t{_random.Next(3)}", new ArrayBufferWriter<byte>());
                    break;
                case < 9:
                    session.SettleQueued(id, (QueueOutcome)_random.Next(4), "so");
                    break;
                case 9 when _random.Next(2) == 0:
                    session.MoveQueued(id, _random.Next(-2, 3));
                    break;
                case 9:
                    session.UpdateQueued(id, Stores.Utf8($"{{\"title\":\"{_random.Next(9)}\"}}"));
                    break;
                case 10 when _random.Next(3) == 0:
                    session.ClearQueue();
                    break;
                case 10:
                    session.RemoveQueued(id);
                    break;
                default:
                    session.SetButtons(Stores.Utf8($$"""[{"label":"{{_random.Next(9)}}"}]"""));
                    break;
            }
        }
        catch (SessionException e) when (e.Status is SessionStatus.NotFound or SessionStatus.InvalidTransition
            or SessionStatus.QueueFull or SessionStatus.Cancelled)
        {
            return false; // nothing is there for it, or it is not for what is there
        }

        return store.Core.Rows.Lsn > before; // a repeat of a key commits nothing
    }

    private void Delete(SessionStore store, string id)
    {
        using Session session = store.OpenSession(id);
        DeletePolicy policy = _random.Next(4) switch
        {
            0 => DeletePolicy.Orphan,
            1 => DeletePolicy.Orphan | DeletePolicy.NoTrash,
            _ => DeletePolicy.Cascade,
        };
        session.Delete(policy);
        Sort(store);
    }

    private void Restore(SessionStore store, string id)
    {
        store.Restore(id);
        Sort(store);
    }

    private void Sort(SessionStore store)
    {
        _live.Clear();
        _trash.Clear();
        foreach (string id in Ids.Order(StringComparer.Ordinal))
        {
            if (IsInTrash(id, store))
            {
                _trash.Add(id);
            }
            else if (store.Core.Rows.Find(id) is not null)
            {
                _live.Add(id);
            }
        }
    }

    private static bool IsInTrash(string id, SessionStore store) => store.Core.Rows.Find(id) is { DeletionLsn: > 0 };

    private string Pick(List<string> ids) => ids[_random.Next(ids.Count)];
}
