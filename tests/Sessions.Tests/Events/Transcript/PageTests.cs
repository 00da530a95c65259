using System.Text.RegularExpressions;
using Sessions.Platform;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Transcript;

/// <summary>The page is one piece and safe, whatever the conversation holds. What a browser makes of it is
/// tested in tests/browser.</summary>
public sealed partial class PageTests : IDisposable
{
    private readonly Talk _talk = new();

    private static readonly string[] Hostile =
    [
        "</script><script>alert(1)</script>", "\\\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>",
        "</style><script>x</script>", "</title><b>", "<!--", "]]>", "javascript:alert(1)", "&lt;b&gt;",
        "\\u2028\\u2029", "\\u0000", "\\u001b[31mred", "```\\n</code></pre><script>", "`</code><i>`", "**</b><i>**",
        "# </b><i>",
        "\\ud800<", "<\\u0073cript>", "\\u003cscript\\u003e",
    ];

    public void Dispose() => _talk.Dispose();

    [Fact]
    public void Nothing_that_comes_from_outside_is_markup()
    {
        string[] types =
        [
            "user_prompt", "agent_message", "agent_thought", "error", "note", "tool_call", "permission", "plan",
            "file_read", "custom:x", "turn_end",
        ];
        foreach (string type in types)
        {
            foreach (string text in Hostile)
            {
                _talk.Add(type, """
                    {"text":"?","message":"?","tool_call_id":"?","title":"?","path":"?","status":"?","stop_reason":"?",
                    "?":"?","raw_input":{"?":"?"},"raw_output":["?"],"request_id":"?","outcome":{"outcome":"?"},
                    "entries":[{"content":"?","status":"?"},"?"],"images":[{"url":"?","name":"?"},{"file_id":"?"},
                    {"url":"data:image/png;base64,?"},{"url":"javascript:alert(1)"},{"url":"https://x.test/?"}]}
                    """.Replace("?", text), "t-" + type);
                _talk.Add(text.Replace("\\u0000", "x").Replace("\\u001b", "x").Replace("\\n", " "), "\"" + text + "\"");
            }
        }

        string page = _talk.Text(TranscriptFormat.Html, new TranscriptOptions { Title = "</title><script>" });
        string[] tags = [.. Tag().Matches(page).Select(m => m.Value).Distinct()];
        Assert.All(tags, t => Assert.Matches(OwnTag(), t));
        Assert.DoesNotContain('\0', page);
        Assert.DoesNotContain('\x1b', page);
        Assert.DoesNotContain("href=\"javascript", page, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(page.Split("<details").Length, page.Split("</details>").Length);
        Assert.Equal(page.Split("<pre").Length, page.Split("</pre>").Length);
        Assert.Equal(page.Split("<div").Length, page.Split("</div>").Length);
        Assert.Equal(page.Split("<b>").Length + page.Split("<b class").Length - 1, page.Split("</b>").Length);
    }

    [Fact]
    public void The_page_loads_nothing_and_allows_one_style_sheet_by_its_digest()
    {
        string page = _talk.Text(TranscriptFormat.Html);
        string style = page[(page.IndexOf("<style>", StringComparison.Ordinal) + 7)..page.IndexOf("</style>",
            StringComparison.Ordinal)];
        string digest = Convert.ToBase64String(Sha256.Hash(Stores.Utf8(style)));
        Assert.Contains($"content=\"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; ", page,
            StringComparison.Ordinal);
        Assert.Contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">", page,
            StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme:dark", style, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", style, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", style, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_in_the_page_are_shown_and_only_web_addresses_are_links()
    {
        _talk.Add("user_prompt", """
            {"text":"","images":[{"url":"data:image/png;base64,AA==","name":"a"},{"url":"data:image/svg+xml,<svg>"},
            {"url":"HTTPS://x.test/?a=1&b=\"2"},{"url":"file:///etc/passwd","name":"c"}]}
            """);
        string page = _talk.Text(TranscriptFormat.Html);
        Assert.Contains("<img alt=\"a\" src=\"data:image/png;base64,AA==\">", page, StringComparison.Ordinal);
        Assert.Contains("href=\"HTTPS://x.test/?a=1&amp;b=&quot;2\"", page, StringComparison.Ordinal);
        Assert.Equal(2, page.Split("<img").Length);
        Assert.Equal(2, page.Split("<a ").Length);
    }

    [Fact]
    public void What_agents_write_reads_like_what_they_meant()
    {
        _talk.Add("agent_message", """{"text":"\n## Head\n\nA **bold** `a<b`\n```c\nint a;\n\n```\nend * `x ** y"}""");
        Assert.Contains("<div class=\"t\" dir=\"auto\"><b class=\"h\">Head</b>\n\nA <b>bold</b> "
            + "<code>a&lt;b</code></div><pre><code>int a;\n\n</code></pre>"
            + "<div class=\"t\" dir=\"auto\">end * `x ** y</div>",
            _talk.Text(TranscriptFormat.Html), StringComparison.Ordinal);
    }

    [Fact]
    public void What_tools_print_is_folded_and_a_plan_is_a_list()
    {
        _talk.Add("tool_call", """
            {"tool_call_id":"c","title":"Run","status":"completed","raw_input":{"command":"ls\n-l","n":[1,{"a":{}}]},
            "raw_output":"a\nb"}
            """);
        _talk.Add("plan", """
            {"entries":[{"content":"One","status":"completed"},{"content":"Two","status":"in_progress"},3]}
            """);
        string page = _talk.Text(TranscriptFormat.Html);
        Assert.Contains("""
            <details class="ok"><summary><span class="s">✓</span><span class="x" dir="auto">Run</span>
            <span class="k">completed</span></summary><div class="b"><div class="l">Input</div>
            <div class="kv"><span>command</span><pre dir="auto">|ls|-l</pre></div>
            <div class="kv"><span>n</span><pre dir="auto">|[|  1,|  {|    &quot;a&quot;: {}|  }|]</pre></div>
            <div class="l">Output</div><pre dir="auto">|a|b</pre></div></details>
            """.Replace("\n", "").Replace('|', '\n'), page, StringComparison.Ordinal);
        Assert.Contains("""
            <li class="done"><span class="s">✓</span><span dir="auto">One</span></li>
            <li class="now"><span class="s">●</span><span dir="auto">Two</span></li>
            """.Replace("\n", ""), page, StringComparison.Ordinal);
        Assert.DoesNotContain("<details open", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_beyond_the_calendar_is_left_out()
    {
        _talk.Session.Append("user_prompt", "{\"text\":\"x\"}"u8, new AppendOptions { Timestamp = 1L << 52 });
        _talk.Session.Append("user_prompt", "{\"text\":\"x\"}"u8, new AppendOptions { Timestamp = 1_795_158_388_123 });
        string page = _talk.Text(TranscriptFormat.Html);
        Assert.Equal(2, page.Split("<time").Length);
        Assert.Contains("<time datetime=\"2026-11-20T07:06:28.123Z\">2026-11-20 07:06 UTC</time>", page,
            StringComparison.Ordinal);
    }

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();

    // Every tag that the writer makes, in every form that it makes it.
    private static Regex OwnTag() => new("^<(" + string.Join('|',
        "!DOCTYPE html", "html lang='en'", "meta [a-z-]+='[^'<]*'( content='[^'<]*')?",
        "(head|body|main|style|title|header|summary|code|b|bdi|ul|li|span)", "/[a-z0-9]+", "h1 dir='auto'",
        "pre( dir='auto')?", "(div|span|details|article|b|li) class='[a-z]+'( dir='auto')?( id='m-[0-9]+')?",
        "span dir='auto'", "time datetime='[^'<]*'", "img alt='[^'<]*' src='data:image/[a-z]+;base64,[A-Za-z0-9+/=]*'",
        "a rel='noopener noreferrer nofollow' href='https://[^'<]*'").Replace('\'', '"') + ")>$");
}
