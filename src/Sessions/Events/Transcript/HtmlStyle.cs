using System.Text;
using Sessions.Platform;

namespace Sessions.Events.Transcript;

/// <summary>What every page begins with. Its policy allows this one style sheet, by its digest, and
/// images that are in the page; nothing else is run or loaded.</summary>
internal static class HtmlStyle
{
    private const string Sheet = """
        :root{--bg:#fbfaf8;--fg:#1f2328;--dim:#6b7280;--line:#e3e1dc;--card:#fff;--code:#f3f1ec;--user:#e8f0fe;
        --accent:#2f6feb;--ok:#1a7f37;--bad:#c0352b;--warn:#9a6700}
        @media(prefers-color-scheme:dark){:root{--bg:#15171a;--fg:#e6e6e3;--dim:#9aa0a8;--line:#2f3338;
        --card:#1c1f23;--code:#22262b;--user:#1f2f4a;--accent:#7aa7ff;--ok:#57c271;--bad:#ff8078;--warn:#e0b04a}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--fg);
        font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;overflow-wrap:anywhere}
        main{max-width:48rem;margin:0 auto;padding:1.5rem 1rem 4rem}
        h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 .25rem}
        .sub,footer{color:var(--dim);font-size:.85rem}
        article{margin:1.6rem 0}
        header{display:flex;gap:.6rem;align-items:baseline;margin-bottom:.3rem}
        .who{font-weight:600;font-size:.85rem}
        time{color:var(--dim);font-size:.78rem}
        .t,.p{white-space:pre-wrap;margin:.35rem 0}
        .h{display:inline-block;font-size:1.12em;margin-top:.3em}
        .u{margin-left:auto;width:fit-content;max-width:88%}
        .u header{justify-content:flex-end}
        .u .p{background:var(--user);border-radius:1rem 1rem .25rem 1rem;padding:.6rem .9rem;margin:0}
        .e .who{color:var(--bad)}
        .e .p{border-left:3px solid var(--bad);background:var(--card);padding:.6rem .9rem;border-radius:.3rem}
        code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.86em}
        code{background:var(--code);border-radius:.3rem;padding:.1em .3em;-webkit-box-decoration-break:clone;
        box-decoration-break:clone}
        pre{background:var(--code);border-radius:.5rem;padding:.7rem .8rem;margin:.5rem 0;overflow-x:auto;
        white-space:pre;line-height:1.45;max-width:100%}
        .h,.k,.kv span,code,pre,b{unicode-bidi:isolate}
        pre code{background:none;padding:0;font-size:1em}
        details pre,.kv pre{white-space:pre-wrap}
        details,.n{border:1px solid var(--line);border-radius:.6rem;background:var(--card);margin:.5rem 0}
        summary,.n{display:flex;gap:.55rem;align-items:baseline;padding:.5rem .8rem;font-size:.9rem}
        summary{cursor:pointer;list-style:none;min-height:2.5rem}
        summary::-webkit-details-marker{display:none}
        summary::after{content:"\203a";margin-left:auto;color:var(--dim);font-size:1.2em;line-height:1}
        details[open]>summary::after{transform:rotate(90deg)}
        summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:.6rem}
        .x{min-width:0;flex:0 1 auto}
        .k{color:var(--dim);flex:none;max-width:45%;font-size:.82rem}
        .s{flex:none;width:1em;text-align:center;color:var(--dim)}
        .ok .s{color:var(--ok)}.bad .s,.bad .k{color:var(--bad)}.warn .s{color:var(--warn)}
        .b{padding:.1rem .8rem .6rem;border-top:1px solid var(--line)}
        .l{color:var(--dim);font-size:.75rem;letter-spacing:.04em;text-transform:uppercase;margin:.6rem 0 .1rem}
        .kv{margin:.3rem 0}.kv>span{color:var(--dim);font-size:.82rem}
        .kv pre{margin:.1rem 0 .4rem;padding:.45rem .7rem}
        .think{background:none}.think .t{color:var(--dim);font-size:.94rem}
        ul{list-style:none;margin:.5rem 0;padding:.6rem .9rem;border:1px solid var(--line);border-radius:.6rem;
        background:var(--card);font-size:.94rem}
        li{display:flex;gap:.55rem;padding:.12rem 0}.done{color:var(--dim)}.done .s{color:var(--ok)}
        .now{font-weight:600}.now .s{color:var(--accent)}
        img{display:block;max-width:100%;height:auto;border-radius:.6rem;margin:.5rem 0}
        a{color:var(--accent)}
        .stop{color:var(--dim);font-size:.82rem;font-style:italic;margin:.3rem 0}
        footer{border-top:1px solid var(--line);padding-top:.8rem;margin-top:2.5rem}
        @media(max-width:30rem){main{padding:1rem .8rem 3rem}.u{max-width:94%}}
        @media print{body{background:#fff;color:#000}details,.n{break-inside:avoid}}
        """;

    /// <summary>Up to where the title goes, which comes escaped.</summary>
    public static readonly byte[] Head = Encoding.UTF8.GetBytes("""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="
        """ + $"default-src 'none'; style-src 'sha256-{Digest()}'; img-src data:; base-uri 'none'; form-action 'none'"
        + """
        ">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <style>
        """ + Text + """
        </style>
        <title>
        """);

    private static string Text => Sheet.ReplaceLineEndings("\n");

    private static string Digest() => Convert.ToBase64String(Sha256.Hash(Encoding.UTF8.GetBytes(Text)));
}
