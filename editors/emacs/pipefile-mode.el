;;; pipefile-mode.el --- Major mode for Pipefiles of pybuild  -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages, tools
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Colours for Pipefiles, with Python and shell in those of their own modes; indentation; an index
;; of rules and variables; places of mistakes in compilation buffers; the language server by eglot.

;;; Code:

(require 'prog-mode)
(require 'compile)

(defgroup pipefile nil
  "Pipefiles of pybuild."
  :group 'languages)

(defcustom pipefile-indent-offset 4
  "Columns by which recipes and blocks are indented."
  :type 'integer
  :safe #'integerp)

(defcustom pipefile-fontify-blocks t
  "Whether Python and shell have the colours of their own modes."
  :type 'boolean)

(defface pipefile-placeholder '((t :inherit font-lock-constant-face))
  "Placeholders.")

(defface pipefile-reserved '((t :inherit font-lock-builtin-face))
  "The names in placeholders that every job has.")

;; The words of the language.

(defconst pipefile-attributes
  '("active_if" "always" "atomic" "before" "cached" "depends" "depfile" "desc" "env"
    "follows" "for_each" "ignore_errors" "jobs_limit" "mkdir" "optional" "params"
    "phony" "pool" "posttask" "precious" "protected" "resources" "retries" "service"
    "shell" "silent" "temp" "timeout" "touch" "uptodate_if")
  "Names behind an `@' above a rule.")

(defconst pipefile-kinds
  '("split" "collate" "value" "product"
    "combinations" "permutations" "combinations_with_replacement")
  "Words before a header.")

(defconst pipefile-builtins
  '("glob" "env" "sh" "read" "config" "run" "Path")
  "What expressions have without importing it.")

(defconst pipefile-job-names
  '("input" "inputs" "output" "outputs" "order_only" "changed" "stem" "rule")
  "Names of each job.")

(defconst pipefile-file-parts
  '("path" "basename" "ext" "filename" "subdir" "subpath")
  "Parts of a file's name.")

;; Where things begin.

(defconst pipefile--name "[A-Za-z_][A-Za-z0-9_]*")

(defconst pipefile--assignment (concat "^\\(" pipefile--name "\\)[ \t]*[?+]?=\\(?:[^=]\\|$\\)"))

(defconst pipefile--python "^\\([ \t]*\\)\\(python\\)[ \t]*:[ \t]*\\(?:#.*\\)?$")

(defconst pipefile--margin "^[^ \t#\r\n]"
  "A line that is neither indented, nor blank, nor a comment.")

(defconst pipefile--placeholder
  (concat "<\\(" pipefile--name "\\)"
          "\\(?::[^<>\n]+\\|\\(?:\\." pipefile--name "\\|\\[-?[0-9]+\\]"
          "\\|(\\(?:[^()\"'<>\n]\\|\"[^\"\n]*\"\\|'[^'\n]*'\\|([^()\n]*)\\)*)\\)*\\)>"))

(defconst pipefile--two-colons
  "\\(?:[^:\"<\\%#\n]\\|\\\\.\\|\"[^\"\n]*\"\\|<[A-Za-z_][^<>\n]*>\\|<[^A-Za-z_]\\)+:"
  "From the first colon of a header to the second.
A `%' between them makes a static pattern.")

;; Blocks of other languages.

(defun pipefile--statement-end ()
  "Move from the start of a statement behind its last line, without its block."
  (while (and (progn (end-of-line) (eq (char-before) ?\\)) (not (eobp)))
    (forward-line))
  (forward-line))

(defun pipefile--next-margin ()
  "Move to the next line at the margin that is no comment, or to the end."
  (if (re-search-forward pipefile--margin nil t)
      (beginning-of-line)
    (goto-char (point-max))))

(defun pipefile--blocks (start end)
  "The blocks between the positions START and END, as lists (FROM TO MODE).
START is the beginning of a line."
  (let (found)
    (save-excursion
      (goto-char start)
      (unless (looking-at pipefile--margin)
        (pipefile--next-margin))
      (while (< (point) end)
        (let ((mode (cond ((looking-at pipefile--python) 'python-mode)
                          ((looking-at "@") 'python-mode)
                          ((looking-at pipefile--assignment) 'python-mode)
                          (t 'sh-mode)))
              (from (progn (pipefile--statement-end) (point)))
              (to (progn (pipefile--next-margin) (point))))
          (when (< from to)
            (setq found (nconc (if (eq mode 'sh-mode)
                                   (nreverse (pipefile--recipe from to))
                                 (list (list from to mode)))
                               found))))))
    (nreverse found)))

(defun pipefile--recipe (start end)
  "The parts of the recipe between START and END, as lists (FROM TO MODE)."
  (let ((from start) found)
    (save-excursion
      (goto-char start)
      (while (re-search-forward pipefile--python end t)
        (let ((indent (current-indentation)))
          (push (list from (line-beginning-position) 'sh-mode) found)
          (forward-line)
          (setq from (point))
          (while (and (< (point) end)
                      (or (looking-at "[ \t]*\r?$") (> (current-indentation) indent)))
            (forward-line))
          (push (list from (point) 'python-mode) found)
          (setq from (point)))))
    (push (list from end 'sh-mode) found)
    (nreverse found)))

(defvar sh-shell-file)

(defun pipefile--faces (text mode)
  "The faces that MODE gives to TEXT, as lists (START END FACE) of offsets."
  (with-current-buffer (get-buffer-create (format " *pipefile %s*" mode))
    (let ((inhibit-message t) (message-log-max nil) found)
      (unless (eq major-mode mode)
        (let ((sh-shell-file "/bin/bash"))
          (delay-mode-hooks (funcall mode))))
      (erase-buffer)
      (insert text)
      (font-lock-ensure)
      (let ((at (point-min)))
        (while (< at (point-max))
          (let ((next (next-single-property-change at 'face nil (point-max)))
                (face (get-text-property at 'face)))
            (when face
              (push (list (1- at) (1- next) face) found))
            (setq at next))))
      found)))

(defun pipefile--fontify-blocks (limit)
  "Give the blocks up to LIMIT the colours of their modes; never matches."
  (let ((start (point)))
    (dolist (block (save-excursion
                     (goto-char start)
                     (beginning-of-line)
                     (unless (looking-at pipefile--margin)
                       (unless (re-search-backward pipefile--margin nil t)
                         (goto-char (point-min))))
                     (pipefile--blocks (point) limit)))
      (pcase-let ((`(,from ,to ,mode) block))
        (put-text-property from to 'pipefile-mode mode)
        (when pipefile-fontify-blocks
          (let ((faces (pipefile--faces (buffer-substring-no-properties from to) mode)))
            (remove-text-properties from to '(face nil))
            (pcase-dolist (`(,begin ,end ,face) faces)
              (put-text-property (+ from begin) (+ from end) 'face face)))))))
  nil)

(defun pipefile--extend-region ()
  "Let what is coloured at once begin and end between statements."
  (defvar font-lock-beg)
  (defvar font-lock-end)
  (let ((begin (save-excursion
                 (goto-char font-lock-beg)
                 (beginning-of-line)
                 (if (or (looking-at pipefile--margin)
                         (re-search-backward pipefile--margin nil t))
                     (point)
                   (point-min))))
        (end (save-excursion
               (goto-char font-lock-end)
               (unless (and (bolp) (looking-at pipefile--margin))
                 (pipefile--next-margin))
               (point))))
    (unless (and (= begin font-lock-beg) (= end font-lock-end))
      (setq font-lock-beg begin
            font-lock-end end)
      t)))

;; Colours.

(defun pipefile--in-comment (position)
  "Whether the text at POSITION has the colour of a comment."
  (let ((face (get-text-property position 'face)))
    (memq 'font-lock-comment-face (if (listp face) face (list face)))))

(defun pipefile--match-placeholder (limit)
  "Find the next placeholder before LIMIT."
  (let (found)
    (while (and (not found) (re-search-forward pipefile--placeholder limit t))
      (let ((at (match-beginning 0)))
        (if (or (eq (char-before at) ?\\)
                (pipefile--in-comment at)
                (and (eq (get-text-property at 'pipefile-mode) 'python-mode)
                     (not (pipefile--in-attribute at))))
            (goto-char (1+ at))
          (setq found t))))
    found))

(defun pipefile--in-attribute (position)
  "Whether POSITION is on a line of an attribute that began above."
  (save-excursion
    (save-match-data
      (goto-char position)
      (and (re-search-backward pipefile--margin nil t)
           (looking-at "@")))))

(defconst pipefile-font-lock-keywords
  (let ((names (regexp-opt (append pipefile-job-names pipefile-file-parts)))
        (plain-kinds (regexp-opt '("split" "collate" "product")))
        (counted-kinds "\\(?:combinations_with_replacement\\|combinations\\|permutations\\)"))
    `((pipefile--fontify-blocks)
      ("^#.*$" (0 font-lock-comment-face t))
      (,(concat "^@" (regexp-opt pipefile-attributes) "\\_>") (0 font-lock-preprocessor-face t))
      ("^\\(-?include\\)[ \t]" (1 font-lock-keyword-face))
      (,pipefile--python (2 font-lock-keyword-face t))
      (,pipefile--assignment (1 font-lock-variable-name-face))
      (,(concat "^\\(" plain-kinds "\\)[ \t]+[^][ \t:&|=?+(]") (1 font-lock-type-face))
      (,(concat "^\\(value\\)[ \t]+\\(" pipefile--name "\\)[ \t]*:")
       (1 font-lock-type-face) (2 font-lock-function-name-face))
      (,(concat "^\\(" counted-kinds "\\)(") (1 font-lock-type-face))
      (,(concat "^\\(?:" plain-kinds "[ \t]+\\|" counted-kinds "([^()\n]*)[ \t]+\\)?"
                "\\(" pipefile--name "\\)[ \t]*:" pipefile--two-colons)
       (1 font-lock-function-name-face))
      ("^\\.PHONY\\_>" . font-lock-preprocessor-face)
      (,(concat "\\_<" (regexp-opt pipefile-builtins) "\\_>(") . 'font-lock-builtin-face)
      (pipefile--match-placeholder
       (0 'pipefile-placeholder prepend)
       (1 (when (string-match-p ,(concat "\\`" names "\\'") (match-string 1)) 'pipefile-reserved)
          prepend))))
  "What font-lock does in Pipefiles.")

(defconst pipefile-syntax-propertize
  (syntax-propertize-rules
   ("\\(\"\\)\\(?:[^\"\\\n]\\|\\\\.\\)*\\(\"\\)" (1 "|") (2 "|"))
   ("\\('\\)[^'\n]*\\('\\)" (1 "|") (2 "|"))
   ("\\(?:^\\|[ \t;(&]\\)\\(#\\)" (1 "<")))
  "Strings that end in their line, and comments.
Others are left out, so that an apostrophe never runs to the end of the file.")

(defvar pipefile-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?\" "." table)
    (modify-syntax-entry ?' "." table)
    (modify-syntax-entry ?# "." table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?< "." table)
    (modify-syntax-entry ?> "." table)
    table)
  "Syntax of Pipefiles.")

;; Indentation.

(defun pipefile--opens-block ()
  "Whether what follows the line at point belongs below it."
  (save-excursion
    (beginning-of-line)
    (cond ((looking-at pipefile--python) t)
          ((looking-at "[ \t]") (looking-at "[^#\n]*:[ \t]*\\(?:#.*\\)?$"))
          ((looking-at "[#@.]") nil)
          ((looking-at pipefile--assignment) nil)
          (t (looking-at "[^#\n]*:\\|.*\\\\$")))))

(defun pipefile--usual-indentation ()
  "The column for the line at point, by the line above it."
  (save-excursion
    (if (or (/= (forward-line -1) 0) (looking-at "[ \t]*$"))
        0
      (+ (current-indentation) (if (pipefile--opens-block) pipefile-indent-offset 0)))))

(defun pipefile-indent-line ()
  "Indent the line at point; called again, take it to the margin and back.
What stands in a recipe is left where it is: only its author knows why."
  (interactive)
  (let* ((usual (pipefile--usual-indentation))
         (again (and (eq this-command last-command) (= (current-indentation) usual)))
         (blank (save-excursion (beginning-of-line) (looking-at "[ \t]*$"))))
    (when (or again blank (zerop (current-indentation)))
      (let ((column (if again 0 usual)))
        (if (<= (current-column) (current-indentation))
            (indent-line-to column)
          (save-excursion (indent-line-to column)))))))

;; The mode.

(defvar pipefile-imenu-generic-expression
  `(("Variables" ,pipefile--assignment 1)
    (nil ,(concat "^\\(?:[a-z_]+\\(?:([^()\n]*)\\)?[ \t]+\\)?\\(" pipefile--name
                  "\\)[ \t]*:" pipefile--two-colons)
         1))
  "Rules and variables for Imenu.")

;;;###autoload
(define-derived-mode pipefile-mode prog-mode "Pipefile"
  "Major mode for Pipefiles, the build files of pybuild."
  (setq-local comment-start "# "
              comment-end ""
              comment-start-skip "#+[ \t]*"
              indent-line-function #'pipefile-indent-line
              indent-region-function #'ignore
              indent-tabs-mode nil
              electric-indent-inhibit t
              syntax-propertize-function pipefile-syntax-propertize
              font-lock-defaults '(pipefile-font-lock-keywords)
              imenu-generic-expression pipefile-imenu-generic-expression)
  (add-hook 'font-lock-extend-region-functions #'pipefile--extend-region nil t)
  (unless (local-variable-p 'compile-command)
    (setq-local compile-command "pybuild ")))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\(?:/\\|\\`\\)Pipefile\\'" . pipefile-mode))
;;;###autoload
(add-to-list 'auto-mode-alist '("\\.pipe\\'" . pipefile-mode))

(add-to-list 'compilation-error-regexp-alist-alist
             '(pybuild
               "^\\([^ \t\n:][^:\n]*\\):\\([0-9]+\\):\\([0-9]+\\): \\(?:error\\|\\(warning\\)\\): "
               1 2 3 (4)))
(add-to-list 'compilation-error-regexp-alist 'pybuild)

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(pipefile-mode . ("pybuild" "--lsp"))))

(provide 'pipefile-mode)

;;; pipefile-mode.el ends here
