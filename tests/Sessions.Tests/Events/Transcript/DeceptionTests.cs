using System.Text;
using Sessions.Events.Transcript;
using Sessions.Json;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Transcript;

/// <summary>What a stranger wrote does not pass for markup of the transcript, for another address, or for text
/// in another order.</summary>
public sealed class DeceptionTests : IDisposable
{
    private readonly Talk _talk = new();

    public void Dispose() => _talk.Dispose();

    [Fact]
    public void No_part_of_Markdown_passes_html()
    {
        const string evil = "<img src=x onerror=alert(1)><!-- x --></div><?php ?>";
        foreach (string type in (string[])["user_prompt", "agent_message", "agent_thought", "error", "note",
            "tool_call", "permission", "plan", "file_read", "custom:x", "turn_end"])
        {
            _talk.Add(type, $$"""
                {"text":"{{evil}}","message":"{{evil}}","tool_call_id":"{{evil}}","title":"{{evil}}","path":"{{evil}}",
                "status":"{{evil}}","stop_reason":"{{evil}}","name":"{{evil}}","kind":"{{evil}}","request_id":"r",
                "outcome":{"outcome":"{{evil}}"},"entries":[{"content":"{{evil}}"}],
                "images":[{"url":"{{evil}}","name":"{{evil}}"},{"file_id":"{{evil}}","name":"{{evil}}"}]}
                """, "t-" + type);
        }

        _talk.Add("error", $"\"{evil}\"");
        _talk.Add(evil, "{}");
        string text = _talk.Text(TranscriptFormat.Markdown, new TranscriptOptions { Title = evil });
        Assert.Empty(HtmlOf(text));
        Assert.Contains("&lt;img", text, StringComparison.Ordinal);
        Assert.Contains("\\<img", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a < b and c<3 <- d", "a < b and c<3 <- d")]
    [InlineData("use `<b>` or ``a ` <b>``", "use `<b>` or ``a ` <b>``")]
    [InlineData("<b>x</b>", "&lt;b>x&lt;/b>")]
    [InlineData("see <https://x.test>", "see &lt;https://x.test>")]
    [InlineData("\\<b> \\\\<b> \\`<b>", "\\<b> \\\\&lt;b> \\`&lt;b>")]
    [InlineData("```\n<b>\n```\n<b>", "```\n<b>\n```\n&lt;b>")]
    [InlineData("~~~\n<b>\n```\n~~~", "~~~\n<b>\n```\n~~~")]
    [InlineData("```\n<b>", "```\n<b>\n```")]
    [InlineData("~~~\n<b>\n", "~~~\n<b>\n~~~")]
    [InlineData("`````x\n<b>\n```", "`````x\n<b>\n```\n`````")]
    [InlineData("``` a`b\n<b>", "``` a`b\n&lt;b>")]
    [InlineData("1. a\n   ```c\n   <b>\n\n   x\n   ```\n2. <b>",
        "1. a\n   ```c\n   <b>\n\n   x\n   ```\n2. &lt;b>")]
    // The list, and with it the fence, would be over where the next line is less deep.
    [InlineData("- a\n  ```\n<b>\n  ```\n<i>", "- a\n```\n<b>\n```\n&lt;i>")]
    [InlineData("- a\n  ```\n  x\n      ```\n<b>", "- a\n```\n  x\n```\n&lt;b>")]
    [InlineData("1. a\n   ```\n\t<b>\n   ```", "1. a\n```\n\t<b>\n```")]
    // With a paragraph before it this is no code, and no fence either.
    [InlineData("a\n    ~~~\n    <b>\n    ~~~\n<i>", "a\n~~~\n    <b>\n~~~\n&lt;i>")]
    // Code that begins on an earlier line ends where this line seems to begin its own.
    [InlineData("a ` b\n` <b> `\n\n`<b>`", "a ` b\n` &lt;b> `\n\n`<b>`")]
    [InlineData("a ` b\r` <b> `", "a ` b\r` &lt;b> `")]
    [InlineData("a ` b\r\n` <b> `\r\n\r\n`<b>`", "a ` b\r\n` &lt;b> `\r\n\r\n`<b>`")]
    [InlineData("| ` | <b> ` |", "| ` | &lt;b> ` |")]
    [InlineData("\\`` <b> `", "\\`` &lt;b> `")]
    [InlineData("\\` `<b>` \\`", "\\` `<b>` \\`")]
    // Left open in a list, it ends as deep as it began; on the line of a marker nothing in it is markup for anybody.
    [InlineData("- a\n  ```\n  x", "- a\n  ```\n  x\n  ```")]
    [InlineData("- a\n  ~~~~sh\n\n  x\n", "- a\n  ~~~~sh\n\n  x\n  ~~~~")]
    [InlineData("- a\n  ```\n x", "- a\n```\n x\n```")]
    [InlineData("1. ```c\n   a <b>", "1. ```c\n   a &lt;b>\n   ```")]
    [InlineData("- ```\n  <b>\n  ```\nrest <b>", "- ```\n  &lt;b>\n  ```\nrest &lt;b>")]
    [InlineData("- ```<b>\n  1 < 2\n     ```\n- <b>", "- ```&lt;b>\n  1 < 2\n     ```\n- &lt;b>")]
    [InlineData("x\n- ```\n<b>", "x\n\\-\n```\n<b>\n```")]
    [InlineData("x\n2. ```\n   <b>", "x\n2\\.\n```\n   <b>\n```")]
    [InlineData("x\n\n2) ```\n   y", "x\n\n2) ```\n   y\n   ```")]
    [InlineData("- + ```\n    <b>", "\\- \\+\n```\n    <b>\n```")]
    [InlineData("- ``` a`b\n  <b>", "- ``` a`b\n  &lt;b>")]
    [InlineData("-      ```\n<b>", "-      ```\n&lt;b>")]
    public void Html_is_text_and_code_stays_code(string written, string expected)
        => Assert.Equal(expected, Markdown(written));

    [Fact]
    public void A_fence_that_an_agent_leaves_open_does_not_open_what_a_tool_printed()
    {
        _talk.Add("agent_message", """{"text":"look:\n```sh\nls"}""");
        _talk.Add("tool_call", """{"tool_call_id":"c","title":"T","raw_output":"```\n<script>"}""");
        string text = _talk.Text(TranscriptFormat.Markdown);
        Assert.Contains("```sh\nls\n```\n", text, StringComparison.Ordinal);
        Assert.Contains("````\n```\n<script>\n````\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("```sh\\nls")]
    [InlineData("```")]
    [InlineData("~~~~~\\n~~~")]
    [InlineData("```sh\\nls\\n``")]
    [InlineData("- a\\n  ```sh\\n  ls")]
    [InlineData("1. ```sh\\n   ls")]
    [InlineData("1. a\\n   - ```sh\\n     ls")]
    [InlineData("- a\\n  - b\\n    ```sh\\n    ls")]
    [InlineData("- ```sh\\nls")]
    public void A_cut_off_code_fence_in_an_interrupted_message_does_not_swallow_what_comes_behind_it(string text)
    {
        _talk.Add("agent_message", $$"""{"text":"{{text}}","interrupted":true}""", "t");
        _talk.Add("agent_message", """{"text":"Once *more*."}""", "t");
        _talk.Add("user_prompt", """{"text":"next"}""");
        string[] lines = _talk.Text(TranscriptFormat.Markdown).Split('\n');
        string open = "";
        foreach (string line in lines)
        {
            // What stands at the margin behind a list ends it, and a fence in it.
            string bare = line.TrimStart(' ', '-', '1', '.');
            int run = bare.Length - bare.TrimStart('`', '~').Length;
            bool isBehind = line is "*Interrupted.*" or "Once *more*." or "next" or "## User";
            Assert.True(open.Length == 0 || !isBehind, line);
            open = open.Length == 0 ? run >= 3 ? bare[..run] : ""
                : run >= open.Length && bare[0] == open[0] && bare.Length == run ? "" : open;
        }

        Assert.Equal("", open);
        Assert.Contains("*Interrupted.*", lines);
        Assert.Equal(2, _talk.Messages()[0].GetProperty("parts").GetArrayLength());
        Assert.True(_talk.Messages()[0].GetProperty("parts")[0].GetProperty("interrupted").GetBoolean());
        Assert.EndsWith("Once *more*.", _talk.Messages()[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_and_notes_are_plain_text_and_stay_in_their_quote()
    {
        _talk.Add("error", """{"message":"a *b* [c](javascript:x)\r## User\n![d](http://x.test/e)"}""");
        _talk.Add("note", """{"text":"# n\r\n<b>"}""");
        string text = _talk.Text(TranscriptFormat.Markdown);
        Assert.Contains("> a \\*b\\* \\[c\\](javascript:x)\n> \\#\\# User\n> \\!\\[d\\](http://x.test/e)\n", text,
            StringComparison.Ordinal);
        Assert.Contains("> \\# n\n> \\<b\\>\n", text, StringComparison.Ordinal);
        _talk.Add("agent_thought", """{"text":"one\r## User\n<b>"}""");
        Assert.Contains("> one\n> ## User\n> &lt;b>\n", _talk.Text(TranscriptFormat.Markdown),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://evil.test/pay", "evil.test")]
    [InlineData("http://evil.test:8080?x", "evil.test:8080")]
    [InlineData("https://bank.test@evil.test/", "evil.test")]
    [InlineData("https://bank.test/@evil.test", "bank.test")]
    [InlineData("HTTPS://EVIL.TEST#https://bank.test", "EVIL.TEST")]
    [InlineData("https://[2001:db8::1]/", "[2001:db8::1]")]
    [InlineData("mailto:a@evil.test?subject=x", "a@evil.test")]
    public void A_link_says_where_it_leads_whatever_it_is_called(string url, string host)
    {
        string page = FilePage("bank.test", url);
        Assert.Contains($"\"{url}\">bank.test</a></span><span class=\"k\" dir=\"auto\">{host}</span>", page,
            StringComparison.Ordinal);
        Assert.Contains("<a rel=\"noopener noreferrer nofollow\" href=", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("JaVaScRiPt:alert(1)")]
    [InlineData("java\\u0009script:alert(1)")]
    [InlineData("\\u0001javascript:alert(1)")]
    [InlineData(" https://x.test/")]
    [InlineData("https:\\\\\\\\x.test/")]
    [InlineData("https://x.test\\\\@bank.test/")]
    [InlineData("https://x.te\\nst/")]
    [InlineData("https://x.test/a b")]
    [InlineData("https://x.test/\\u202egpj.exe")]
    [InlineData("https://b\\u0430nk.test/")]
    [InlineData("https://bank.test\\uff0fx.test/")]
    [InlineData("https://%65vil.test/")]
    [InlineData("https://")]
    [InlineData("https:///x.test")]
    [InlineData("https:x.test")]
    [InlineData("mailto:")]
    [InlineData("mailto:a%0ab@x.test")]
    [InlineData("data:text/html,<script>alert(1)</script>")]
    [InlineData("vbscript:x")]
    [InlineData("&#106;avascript:alert(1)")]
    [InlineData("//x.test/")]
    [InlineData("file:///etc/passwd")]
    public void What_browsers_read_in_another_way_than_people_is_no_link(string url)
    {
        string page = FilePage("name", url);
        Assert.DoesNotContain("<a ", page, StringComparison.Ordinal);
        Assert.Contains("name</span><span class=\"k\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_under_its_own_name_is_said_once()
    {
        Assert.Contains(">https://x.test/</a></span></div>", FilePage("https://x.test/", "https://x.test/"),
            StringComparison.Ordinal);
        Assert.Contains("</a></span><span class=\"k\" dir=\"auto\">evil.test</span>",
            FilePage("https://bank.test@evil.test", "https://bank.test@evil.test"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x061c), InlineData(0x200e), InlineData(0x200f), InlineData(0x202a), InlineData(0x202b)]
    [InlineData(0x202c), InlineData(0x202d), InlineData(0x202e), InlineData(0x2066), InlineData(0x2067)]
    [InlineData(0x2068), InlineData(0x2069)]
    public void Direction_marks_are_seen_in_names_paths_and_code(int code)
    {
        string mark = ((char)code).ToString(), shown = $"\u2039U+{code:X4}\u203a";
        _talk.Add("tool_call", $$"""
            {"tool_call_id":"c","title":"n{{mark}}1","status":"s{{mark}}1","raw_input":{"k{{mark}}1":"v{{mark}}1"},
            "raw_output":"o{{mark}}1"}
            """);
        _talk.Add("file_read", $$"""{"path":"p{{mark}}1"}""");
        _talk.Add("plan", $$"""{"entries":[{"content":"e{{mark}}1"}]}""");
        _talk.Add("permission", $$"""{"request_id":"r","outcome":"w{{mark}}1"}""");
        _talk.Add("user_prompt", $$"""{"text":"","files":[{"name":"f{{mark}}1","url":"https://x.test/{{mark}}1"}]}""");
        _talk.Add("agent_message", $$"""{"text":"a `c{{mark}}1`\n```\nd{{mark}}1\n```"}""");
        _talk.Add("t" + mark + "1", "{}");
        foreach (TranscriptFormat format in (TranscriptFormat[])[TranscriptFormat.Html, TranscriptFormat.Markdown])
        {
            string text = _talk.Text(format, new TranscriptOptions { Title = "T" + mark + "1" });
            bool isPage = format == TranscriptFormat.Html;
            foreach (char c in isPage ? "Tnskvopewfcdt" : "Tnskvopewft")
            {
                Assert.Contains(c + shown + "1", text, StringComparison.Ordinal);
            }

            if (isPage)
            {
                Assert.DoesNotContain(mark, text, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("a\u202eb", "\u202c")]
    [InlineData("a\u2066b\u202a", "\u202c\u2069")]
    [InlineData("a\u2067b\u202ac\u2069d", "")]
    [InlineData("a\u202bb\u202c\u2069", "")]
    [InlineData("a\u202b\u2068b\u202c", "\u2069\u202c")]
    [InlineData("\u200f\u05d0\u2019\u2014", "")]
    public void Prose_keeps_its_direction_marks_and_they_end_with_it(string text, string closed)
    {
        Assert.Equal(text + closed, Markdown(text));
        _talk.Add("agent_message", $$"""{"text":"{{text}}"}""");
        Assert.Contains($"<div class=\"t\" dir=\"auto\">{text}</div>", _talk.Text(TranscriptFormat.Html),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Many_marks_take_no_longer_than_many_letters()
    {
        const int count = 200_000;
        string marks = string.Concat(Enumerable.Repeat("\u202b", count)) + string.Concat(
            Enumerable.Repeat("\u2069", count));
        Assert.Equal(3 * count, Stores.Utf8(Markdown(marks)).Length - (6 * count));
        Assert.Equal("`<b ", Markdown(string.Concat(Enumerable.Repeat("`<b ", count)))[..4].Replace("&lt;", "<"));
        Assert.StartsWith("```", Markdown(string.Concat(Enumerable.Repeat(" ```x\n", count))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_put_together_passes_no_html()
    {
        string[] pieces =
        [
            "<b>", "`", "``", "```", "~~~", "\n", "\n", "\r", "\r\n", " ", "  ", "    ", "\t", "- ", "1. ", "> ", "\\",
            "|", "x", "# ", "<!--", "</",
        ];
        var random = new Random(17);
        for (int i = 0; i < 20_000; i++)
        {
            var text = new StringBuilder();
            for (int n = random.Next(24); n >= 0; n--)
            {
                text.Append(pieces[random.Next(pieces.Length)]);
            }

            string written = Markdown(text.ToString());
            Assert.True(HtmlOf(written).Count == 0, $"{text} became {written}");
            Assert.Equal(Markdown(written), written); // nothing is open at its end, and nothing is left to change
        }
    }

    // What of a text a reader of CommonMark takes for HTML, by rules of its own: fences at the margin (or paired
    // within their depth) and code within a line are code, all else is text.
    private static List<string> HtmlOf(string markdown)
    {
        var found = new List<string>();
        string fence = "";
        foreach (string line in markdown.Split(["\r\n", "\n", "\r"], StringSplitOptions.None))
        {
            string bare = line.TrimStart(' ', '\t');
            string run = bare.Length > 0 && bare[0] is '`' or '~' ? new string(bare[0], bare.Length
                - bare.TrimStart(bare[0]).Length) : "";
            if (fence.Length > 0)
            {
                bool isEnd = run.Length >= fence.Length && run[0] == fence[0]
                    && bare[run.Length..].Trim(' ', '\t').Length == 0;
                fence = isEnd ? "" : fence;
                continue;
            }

            if (run.Length >= 3 && !(run[0] == '`' && bare[run.Length..].Contains('`', StringComparison.Ordinal)))
            {
                fence = run;
                continue;
            }

            string text = System.Text.RegularExpressions.Regex.Replace(line,
                @"\\[`\\<]|(?<!`)(`+)(?!`)(?:.*?[^`])\1(?!`)",
                m => m.Value[0] == '\\' || m.Value.Contains('|', StringComparison.Ordinal) ? "x" : "");
            foreach (System.Text.RegularExpressions.Match m in
                System.Text.RegularExpressions.Regex.Matches(text, "<[A-Za-z/!?]"))
            {
                found.Add(line + " | " + m.Value);
            }
        }

        return found;
    }

    private string FilePage(string name, string url)
    {
        _talk.Add("user_prompt", $$"""{"text":"","files":[{"name":"{{name}}","url":"{{url}}"}]}""");
        return _talk.Text(TranscriptFormat.Html);
    }

    private static string Markdown(string text)
    {
        var b = new Utf8Buffer();
        MarkdownText.Write(b, Stores.Utf8(text));
        return Encoding.UTF8.GetString(b.Written);
    }
}
