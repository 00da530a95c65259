using System.Globalization;
using System.Text.Json;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Tests.Support;
using static Sessions.Tests.Support.Stores;

namespace Sessions.Tests.Damage.Harm;

/// <summary>
/// One life of a store on the real disk: calls, harms to files between them, kills and openings, all drawn from a seed,
/// and a witness of everything that was acknowledged. Whatever is not as it was is told with the seed and all that
/// happened.
/// </summary>
internal sealed partial class HarmRound
{
    private const int StepsMax = 45;
    private const int HarmsMax = 3;

    private readonly int _seed;
    private readonly Random _random;
    private readonly Ground _ground;
    private readonly ManualTime _time = new();
    private readonly List<(SessionStore Store, MortalDisk Disk)> _open = [];
    private readonly Dictionary<string, Witness> _sessions = [];
    private readonly List<string> _story = [];
    private int _texts;
    private int _harms;
    private bool _isStoreHarmed; // a file of all sessions: calls may fail, and data may not
    private bool _isJournalHarmed; // what it alone had may be gone, if that is said
    private bool _isPageWritten; // its numbers may speak of more than the journal ever had
    private bool _isIndexHarmed; // no other file has the infos of sessions
    private bool _isSalvaged;
    private bool _isStoreNamed;

    public HarmRound(int seed, string folder)
    {
        _seed = seed;
        _random = new Random(seed);
        _ground = new Ground(folder, _random);
    }

    /// <summary>Calls so far, and the one under way.</summary>
    public (long Count, string What) Progress => (_story.Count, $"seed {_seed}: {_story.LastOrDefault()}");

    /// <summary>Null where everything was as it should be; else the seed, what was wrong, and all that was
    /// done.</summary>
    public string? Play()
    {
        try
        {
            Open();
            int steps = _random.Next(10, StepsMax);
            for (int i = 0; i < steps; i++)
            {
                _time.Advance(_random.Next(6) switch { 0 => 0, 1 => 5, 2 => 120, 3 => 300, 4 => 1500, _ => 11_000 });
                Step(i);
            }

            Finish();
            return null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _open.ForEach(o => o.Disk.Kill());
            return $"HARM_SEED={_seed}: {e.Message}\n  {string.Join("\n  ", _story)}\n{e}";
        }
    }

    private SessionStore Store => _open[_random.Next(_open.Count)].Store;

    private void Step(int step)
    {
        int kind = _random.Next(100);
        if (_open.Count == 0)
        {
            if (kind < 50 && _harms < HarmsMax && step > 5)
            {
                HarmOne();
            }

            Open();
        }
        else if (kind < 14 && _harms < HarmsMax && step > 5)
        {
            HarmOne();
        }
        else if (kind < 17)
        {
            _ground.Remember();
        }
        else if (kind < 20)
        {
            MoveBack();
        }
        else if (kind < 24)
        {
            CloseOne();
        }
        else if (kind < 26)
        {
            KillAll();
        }
        else if (kind < 28 && _open.Count == 1)
        {
            Open();
        }
        else if (kind < 34)
        {
            Tell("checkpoint");
            Trying(null, () => Store.Engine.Checkpointer.TryRun());
        }
        else if (kind < 37)
        {
            Tell("flush");
            Trying(null, () => Store.Flush());
        }
        else if (kind < 42)
        {
            TakeNames(Store);
        }
        else
        {
            Call();
            Judge(Store, atOnce: true);
        }
    }

    private void Tell(string what) => _story.Add(what);

    // A call on a session, or on the store. What it may fail with depends on what was harmed.
    private bool Trying(Witness? witness, Action call)
    {
        try
        {
            call();
            return true;
        }
        catch (DiskException e) when (_isStoreHarmed || witness is { IsHarmed: true })
        {
            _story[^1] += $": {e.Message}"; // of a checkpoint, which no call is answered with
            return false;
        }
        catch (SessionException e)
        {
            _story[^1] += $": {e.Status} {e.Message} {e.Details}";
            if (e.Status is SessionStatus.Internal or SessionStatus.Poisoned or SessionStatus.Misuse)
            {
                throw new InvalidOperationException($"{e.Status}: {e.Message}", e);
            }

            bool isAllowed = _isStoreHarmed || (witness is not null && witness.IsHarmed);
            if (!isAllowed)
            {
                throw new InvalidOperationException($"a call fails that nothing was done to: {e.Status}", e);
            }

            if (witness is not null)
            {
                witness.IsNamed = true;
            }

            return false;
        }
    }

    private void Open()
    {
        Tell("open");
        if (_open.Count == 0)
        {
            foreach (Witness w in _sessions.Values)
            {
                w.IsLogKnown = false;
            }
        }

        for (int i = 0; ; i++)
        {
            var disk = new MortalDisk(_ground.Open());
            try
            {
                SessionStore store = Stores.Open(disk, _time, new SessionStoreOptions { BusyTimeoutMs = 2000 },
                    processId: 4242 + _open.Count);
                _open.Add((store, disk));
                _isStoreNamed |= store.Info().GetProperty("recovered").GetProperty("journal_lost").GetBoolean();
                if (store.Info().GetProperty("corrupt").GetBoolean())
                {
                    Require(_isJournalHarmed || _isPageWritten, "the store opens corrupt");
                    _isStoreNamed = true;
                    Tell("corrupt");
                    Judge(store, atOnce: false);
                    CloseAll();
                    Salvage();
                    continue;
                }

                TakeNames(store);
                return;
            }
            catch (SessionException e)
            {
                disk.Kill();
                _open.RemoveAll(o => ReferenceEquals(o.Disk, disk)); // where it was open already
                _story[^1] += $": {e.Status} {e.Message} {e.Details}";
                Require(_isStoreHarmed || _isJournalHarmed, $"the store does not open: {e.Status} {e.Message}");
                Require(e.Status is not (SessionStatus.Internal or SessionStatus.Poisoned), e.Message);
                Require(i < 3, "the store does not open after a salvage");
                _isStoreNamed = true;
                if (i == 0 && _ground.HasMore)
                {
                    _ground.Allow();
                    Tell("open once more");
                }
                else
                {
                    CloseAll();
                    Salvage();
                }
            }
        }
    }

    private void Salvage()
    {
        _ground.Allow();
        Tell("salvage");
        _isSalvaged = true;
        var disk = new MortalDisk(_ground.Open());
        Text(b => SessionStore.Salvage(Environment(disk, _time), b));
        disk.Kill();
        Tell("open");
    }

    private void CloseOne()
    {
        int at = _random.Next(_open.Count);
        Tell(_open.Count > 1 ? $"close {at}" : "close");
        (SessionStore store, MortalDisk disk) = _open[at];
        _open.RemoveAt(at);
        Close(store, disk);
    }

    private void CloseAll()
    {
        foreach ((SessionStore store, MortalDisk disk) in _open)
        {
            Close(store, disk);
        }

        _open.Clear();
    }

    private void Close(SessionStore store, MortalDisk disk)
    {
        Witness? harmed = _sessions.Values.FirstOrDefault(s => s.IsHarmed);
        Trying(harmed, store.Close); // what could not be done then, the next opening does
        disk.Kill();
    }

    private void KillAll()
    {
        Tell("kill");
        _open.ForEach(o => o.Disk.Kill());
        _open.Clear();
    }

    private void Finish()
    {
        bool allowsFirst = _random.Next(2) == 0;
        if (allowsFirst)
        {
            _ground.Allow();
        }

        while (MoveBack())
        {
        }

        if (_random.Next(2) == 0)
        {
            Tell("close all");
            CloseAll();
        }
        else
        {
            KillAll();
        }

        if (!allowsFirst && _random.Next(2) == 0)
        {
            Open();
            CloseAll();
        }

        _ground.Allow();
        Open();
        Judge(_open[0].Store, atOnce: false);
        Tell("close all");
        CloseAll();
        Open();
        Judge(_open[0].Store, atOnce: false);
        CloseAll();
        _ground.RequireOutside();
    }

    private bool MoveBack()
    {
        string? back = Tried(() => _ground.MoveBack(p =>
        {
            NoteHarm(p, "moved back");
            // A salvage may have made a store with another id of one without sessions.
            bool mayBe = !IsUnknownQueue(p) && !IsUnknownInfo(p) && !(p == Layout.StoreFile && _isSalvaged);
            if (!mayBe)
            {
                WitnessOf(p)?.Harms.Remove($"{p} moved back");
            }

            return mayBe;
        }));
        Tell($"{back ?? "nothing"} is moved back");
        return back is not null;
    }

    // What a check of the store says, of which sessions.
    private void TakeNames(SessionStore store)
    {
        Tell("verify");
        Trying(_sessions.Values.FirstOrDefault(s => s.IsHarmed), () =>
        {
            JsonElement report = store.Verify();
            foreach (JsonElement issue in report.GetProperty("issues").EnumerateArray())
            {
                string? id = issue.GetProperty("session_id").GetString();
                bool isBad = issue.GetProperty("severity").GetString() != "info";
                if (id is not null && _sessions.TryGetValue(id, out Witness? witness))
                {
                    Require(witness.IsHarmed || witness.IsLogCopied || _isStoreHarmed || _isJournalHarmed || !isBad,
                        $"a session that nothing was done to is named: {issue.GetRawText()}");
                    witness.IsNamed = true;
                }
                else
                {
                    _isStoreNamed |= isBad;
                }
            }

            if (!report.GetProperty("ok").GetBoolean())
            {
                _story[^1] += ": " + string.Join(", ", report.GetProperty("issues").EnumerateArray().Select(
                    i => i.GetProperty("code").GetString() + " " + i.GetProperty("file").GetString()));
            }
        });
    }

    private void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException(what);
        }
    }

    private string NewText() => string.Create(CultureInfo.InvariantCulture, $"{_seed}:{++_texts}:")
        + new string((char)('a' + _random.Next(26)), _random.Next(4) == 0 ? _random.Next(5000) : _random.Next(60));
}
