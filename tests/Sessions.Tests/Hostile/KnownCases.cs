using System.Text.RegularExpressions;

namespace Sessions.Tests.Hostile;

/// <summary>Cases that did harm once, or are of a kind that is sure to be tried: they are in every run.</summary>
internal static partial class KnownCases
{
    public static bool Has(HostileCase one) => Known().IsMatch(one.Name);

    [GeneratedRegex("""
        ^(closed|killed):\ (
            (tmp|journal|locks|sessions|trash|sessions/day/\{alpha\}):\ a\ link\ to\ a\ folder
          | sessions/day/\{gamma\}/history:\ a\ link\ to\ a\ folder
          | (sessions/day/\{alpha\}/files|quarantine|backup|trash/pruned|sessions/day):\ a\ link\ to\ a\ folder
          | (store.json|config.json|index.jsonl|streams.json|journal/next.log):\ a\ pipe
          | (sessions/day/\{alpha\}/(events.jsonl|session.json|shares.json|log.json)):\ a\ pipe
          | (locks/shared|sessions/day/\{alpha\}/(events.jsonl|session.json)):\ a\ (hard\ link|link\ to\ a\ file)
          | sessions/day/\{alpha\}/files/.*:\ a\ (hard\ link|link\ to\ a\ file)
          | locks/shared:\ cut\ to\ nothing
          | (sessions/day/\{beta\}/events.jsonl|journal/0000.*.log):\ (a\ hole|with\ a\ hole)\ of\ .*
          | tmp/x:\ folders\ deeper\ than\ a\ path\ can\ say
          | (sessions/day/\{beta\}/session.json|store.json|journal|sessions/day):\ (open\ to\ all|somebody\ else's)
          | one\ more\ rewrite\ changes\[0\]\.(file|kept):\ (down\ and\ )?[136]\ up\ to\ home/diary
          | one\ more\ (?<kind>purge|append|fork|log|lock)\ changes\[0\]\.\k<kind>:\ (down\ and\ )?[357]\ up\ to\ home
          | one\ more\ append\ changes\[0\]\.offset:\ (2\^40|2\^63-1|-1)
          | one\ more\ config\ changes\[0\]\.config:\ an\ array
          | frame\ 19\ changes\[0\]\.image\.shares\[0\]\.share_id:\ (down\ and\ )?6\ up\ to\ home/diary
          | sessions/day/\{gamma\}/log\.json\ history\[0\]\.session_id:\ (down\ and\ )?[67]\ up\ to\ home/diary
          | sessions/day/\{gamma\}/log\.json\ history\[0\]\.bytes:\ (2\^62|2\^63-1)
          | index\.jsonl\ closing\.(id_ms|id_n|lsn):\ 2\^63-1
          | index\.jsonl\ row\ 1\ info\.id:\ an\ id\ (at\ 2\^63-1|numbered\ 2\^63-1)
          | config\.json\ strict_lock:\ 2\^63
          | page's\ (published|floor):\ 2\^63-2\^20
        )$
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Known();
}
